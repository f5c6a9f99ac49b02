// The console's own texts; each section brings its own.
import { byLanguage } from './shared/by-language.js';

export const texts = byLanguage({
  title: ['Console', '控制台'],
  sections: ['Sections', '栏目'],
  leave: ['Sign out', '退出'],
  stop: ['Stop', '停止'],
  save: ['Save', '保存'],
  fresh: ['Updated {time}', '更新于 {time}'],
  'section.live': ['Live', '实时'],
  'section.pool': ['Keys', '密钥池'],
  'section.load': ['Load keys', '导入密钥'],
  'section.spend': ['Spend', '消费'],
  'section.prices': ['Prices', '价格'],
  'section.mapping': ['Model mapping', '模型映射'],
  away: ['No answer from {origin} since {since}. What you see is from then; this page keeps trying by itself. ({why})', '自 {since} 起未收到 {origin} 的应答。页面显示的是当时的数据，并会自动重试。（{why}）'],
  'section.missing': ['This section could not be fetched. Reload the page.', '无法取得此栏目，请重新加载页面。'],
  'away.now': ['Try now', '立即重试'],
  'enter.title': ['Root’s console', 'root 控制台'],
  'enter.about': ['The pool of upstream keys, what the gateway does now, and what it costs. For the key of root.', '上游密钥池、网关实时状况与消费。需使用 root 的密钥。'],
  'enter.key': ['Root key', 'root 密钥'],
  'enter.remember': ['Remember on this computer', '在此电脑上记住'],
  'enter.go': ['Open', '进入'],
  'enter.no_key': ['That is no key: it begins with sk-Xvs and has 45 letters and digits behind.', '这不是密钥：密钥以 sk-Xvs 开头，后接 45 个字母和数字。'],
  'enter.not_root': ['This page is for root, the operator of the service, and this is the key of another account. Balance and usage are on the usage page, sub-accounts on theirs.', '此页面仅供服务运营者 root 使用，而这是其他账户的密钥。余额与用量请看用量页面，子账户请到子账户页面管理。'],
});
