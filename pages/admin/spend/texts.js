// Texts of this section.
import { byLanguage } from '../shared/by-language.js';

export const texts = byLanguage({
  'spend.span': ['Span of time', '时间范围'],
  'spend.days': ['{count, plural, one {Today} other {# days}}', '{count, plural, other {# 天}}'],
  'spend.everybody': ['All accounts', '全部账户'],
  'spend.only': ['Only this account', '只看此账户'],
  'spend.chart': ['Cost by day and model', '每日各模型费用'],
  'spend.models': ['By model', '按模型'],
  'spend.accounts': ['Top accounts', '消费最多的账户'],
  'spend.about': ['spent by all accounts in {count, plural, one {this day} other {# days}}, {requests} requests', '全部账户 {count} 天的消费，{requests} 次请求'],
  'spend.about_one': ['spent by {name} in {count, plural, one {this day} other {# days}}, {requests} requests', '{name} {count} 天的消费，{requests} 次请求'],
  'spend.none': ['Nothing was spent in this time.', '此期间没有消费。'],
  'spend.no_model': ['without a model', '未指定模型'],
  'spend.model': ['Model', '模型'],
  'spend.requests': ['Requests', '请求'],
  'spend.prompt': ['Input tokens', '输入 Token'],
  'spend.cached': ['Cached', '缓存命中'],
  'spend.completion': ['Output tokens', '输出 Token'],
  'spend.cost': ['Cost', '费用'],
  'spend.share': ['Share', '占比'],
  'spend.account': ['Account', '账户'],
  'spend.email': ['E-mail', '邮箱'],
});
