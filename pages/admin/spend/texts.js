// Texts of this section.
export const texts = {
  en: {
    'spend.span': 'Span of time', 'spend.days': '{count, plural, one {Today} other {# days}}', 'spend.everybody': 'All accounts',
    'spend.only': 'Only this account', 'spend.chart': 'Cost by day and model', 'spend.models': 'By model',
    'spend.accounts': 'Top accounts',
    'spend.about': 'spent by all accounts in {count, plural, one {this day} other {# days}}, {requests} requests',
    'spend.about_one': 'spent by {name} in {count, plural, one {this day} other {# days}}, {requests} requests',
    'spend.none': 'Nothing was spent in this time.', 'spend.model': 'Model', 'spend.requests': 'Requests', 'spend.prompt': 'Input tokens',
    'spend.cached': 'Cached', 'spend.completion': 'Output tokens', 'spend.cost': 'Cost', 'spend.share': 'Share',
    'spend.account': 'Account', 'spend.email': 'E-mail',
  },
  zh: {
    'spend.span': '时间范围', 'spend.days': '{count, plural, other {# 天}}', 'spend.everybody': '全部账户', 'spend.only': '只看此账户',
    'spend.chart': '每日各模型费用', 'spend.models': '按模型', 'spend.accounts': '消费最多的账户', 'spend.about': '全部账户 {count} 天的消费，{requests} 次请求',
    'spend.about_one': '{name} {count} 天的消费，{requests} 次请求', 'spend.none': '此期间没有消费。', 'spend.model': '模型', 'spend.requests': '请求',
    'spend.prompt': '输入令牌', 'spend.cached': '缓存命中', 'spend.completion': '输出令牌', 'spend.cost': '费用', 'spend.share': '占比',
    'spend.account': '账户', 'spend.email': '邮箱',
  },
};
