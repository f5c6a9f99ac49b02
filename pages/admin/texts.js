// The console's own texts; each section brings its own.
export const texts = {
  en: {
    title: 'Console', sections: 'Sections', leave: 'Sign out', stop: 'Stop', save: 'Save', fresh: 'Updated {time}', 'section.live': 'Live',
    'section.pool': 'Keys', 'section.load': 'Load keys', 'section.spend': 'Spend', 'section.prices': 'Prices',
    'section.mapping': 'Model mapping',
    away: 'No answer from {origin} since {since}. What you see is from then; this page keeps trying by itself. ({why})',
    'section.missing': 'This section could not be fetched. Reload the page.', 'away.now': 'Try now', 'enter.title': 'Root’s console',
    'enter.about': 'The pool of upstream keys, what the gateway does now, and what it costs. For the key of root.',
    'enter.key': 'Root key', 'enter.remember': 'Remember on this computer', 'enter.go': 'Open',
    'enter.no_key': 'That is no key: it begins with sk-Xvs and has 45 letters and digits behind.',
    'enter.not_root': 'This page is for root, the operator of the service, and this is the key of another account. Balance and usage are on the usage page, sub-accounts on theirs.',
  },
  zh: {
    title: '控制台', sections: '栏目', leave: '退出', stop: '停止', save: '保存', fresh: '更新于 {time}', 'section.live': '实时', 'section.pool': '密钥池',
    'section.load': '导入密钥', 'section.spend': '消费', 'section.prices': '价格', 'section.mapping': '模型映射',
    away: '自 {since} 起未收到 {origin} 的应答。页面显示的是当时的数据，并会自动重试。（{why}）', 'section.missing': '无法取得此栏目，请重新加载页面。', 'away.now': '立即重试', 'enter.title': 'root 控制台',
    'enter.about': '上游密钥池、网关实时状况与消费。需使用 root 的密钥。', 'enter.key': 'root 密钥', 'enter.remember': '在此电脑上记住', 'enter.go': '进入',
    'enter.no_key': '这不是密钥：密钥以 sk-Xvs 开头，后接 45 个字母和数字。', 'enter.not_root': '此页面仅供服务运营者 root 使用，而这是其他账户的密钥。余额与用量请看用量页面，子账户请到子账户页面管理。',
  },
};
