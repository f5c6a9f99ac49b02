// How the table of settings is grouped, and its Chinese. English is taken from the README.

const groups = [
  {
    title: { en: 'Clients', zh: '客户端一侧' },
    names: [
      'PORT',
      'LISTEN_ADDRESS',
      'TLS_CERT',
      'TLS_KEY',
      'TRUSTED_PROXIES',
      'CORS_ORIGINS',
      'MAX_CONNECTIONS',
      'MAX_HEADER_BYTES',
      'MAX_BODY_BYTES',
      'BODY_MEMORY_BYTES',
      'HEADER_TIMEOUT',
      'BODY_IDLE_TIMEOUT',
      'KEEPALIVE_TIMEOUT',
      'DRAIN_TIMEOUT',
    ],
  },
  {
    title: { en: 'Data and secrets', zh: '数据与机密' },
    names: ['DATA_DIR', 'MASTER_KEY', 'INIT_USERS', 'INIT_KEYS', 'DURABILITY', 'RETENTION_DAYS', 'STATS_INTERVAL'],
  },
  {
    title: { en: 'Upstream', zh: '上游' },
    names: [
      'OPENAI_API_BASE',
      'UPSTREAM_CA_FILE',
      'UPSTREAM_PROXY',
      'ROUTING',
      'MODEL_MAPPER',
      'KEYS_RELOAD_INTERVAL',
      'KEYS_MAX_WAIT',
      'RETRY_ATTEMPTS',
      'RETRY_DEADLINE',
      'CONNECT_TIMEOUT',
      'FIRST_BYTE_TIMEOUT',
      'IDLE_TIMEOUT',
      'PENDING_INTERVAL',
    ],
  },
  {
    title: { en: 'Money', zh: '计费' },
    names: [
      'USER_MIN_BALANCE',
      'USER_API_MIN_BALANCE',
      'CALL_MIN_BALANCE',
      'HOLD_CAP',
      'HOLD_STEP',
      'FEE_TRANSACTION',
      'FEE_LISTING',
      'PRICES_FILE',
      'UNKNOWN_MODELS',
    ],
  },
  { title: { en: 'Operation', zh: '运维' }, names: ['ADMIN_LISTEN', 'LOG_LEVEL', 'LOG_FORMAT'] },
  {
    title: { en: 'Mail', zh: '邮件' },
    names: ['EMAIL_SMTP', 'EMAIL_PORT', 'EMAIL_TLS', 'EMAIL_AUTH', 'EMAIL_PASS', 'EMAIL_SENDER', 'XAI_SERVICE'],
  },
];

const heads = { en: ['name', 'default', 'what it is', 'allowed'], zh: ['名称', '默认值', '含义', '允许的取值'] };

const duration = '时间长度';
const dollars = '美元，例如 0.5';
const bytes = '字节数，可带 K、M、G';
const pem = 'PEM 文件';

// Name: what is allowed, what it is.
const chinese = {
  PORT: ['0 到 65535', '客户端端口；0 表示选一个空闲端口并写入日志'],
  LISTEN_ADDRESS: ['IP 地址，逗号分隔', '监听的地址'],
  TLS_CERT: [pem, '面向客户端的证书，与 TLS_KEY 配对；SIGHUP 时重新读取'],
  TLS_KEY: [pem, 'TLS_CERT 的私钥'],
  DATA_DIR: ['目录', '数据库、master.key 和临时文件；以 0700 权限创建'],
  INIT_USERS: [
    'root:EMAIL:KEY，可有多个，逗号分隔；KEY 为 sk-Xvs 加 45 个字母或数字，或留空',
    '启动时创建的账户；与已存不同的 root 密钥会替换原密钥',
  ],
  INIT_KEYS: ['sk-... 或 sk-...::https://host，可有多个，逗号分隔；每个至少 20 个字符', '数据库中还没有密钥时装入的上游密钥'],
  MASTER_KEY: ['至少 16 个字符', '加密存储上游密钥；未设置时使用首次启动生成的 DATA_DIR/master.key'],
  OPENAI_API_BASE: ['主机、主机:端口，或 http(s) URL', '未指明上游的密钥所用的上游'],
  UPSTREAM_CA_FILE: [pem, '在系统信任库之外额外信任的上游证书'],
  UPSTREAM_PROXY: ['http://[用户:密码@]主机:端口', '通往上游的 HTTP CONNECT 代理'],
  KEYS_RELOAD_INTERVAL: [duration, '多久从数据库重新读取一次密钥池'],
  KEYS_MAX_WAIT: [duration, '密钥冷却或达到限额时最长等待多久；超过则客户端得到 429'],
  PENDING_INTERVAL: [duration, '多久开始查询批处理、后台 responses 和 runs 的状态，以便结束时计费；时间越久查询越稀'],
  ROUTING: ['round_robin 或 cache_aware', 'cache_aware：开头相同的请求交给同一个密钥，其上游缓存中已有这个开头'],
  RETRY_ATTEMPTS: ['1 到 20', '一个请求总共尝试几次'],
  RETRY_DEADLINE: [duration, '一个请求所有尝试合计的时限'],
  CONNECT_TIMEOUT: [duration, '连接上游的时限，含 TLS'],
  FIRST_BYTE_TIMEOUT: [duration, '等待上游响应头的时限'],
  IDLE_TIMEOUT: [duration, '响应中途多久没有一个字节算超时'],
  MAX_HEADER_BYTES: [bytes, '请求头的大小'],
  MAX_BODY_BYTES: [bytes, '请求正文的大小'],
  BODY_MEMORY_BYTES: [bytes, '所有请求正文合计占用的内存；超出部分写入临时文件'],
  MAX_CONNECTIONS: ['1 到 1000000', '客户端连接数'],
  HEADER_TIMEOUT: [duration, '接收整个请求头的时限'],
  BODY_IDLE_TIMEOUT: [duration, '请求正文中途多久没有一个字节算超时'],
  KEEPALIVE_TIMEOUT: [duration, '客户端空闲连接保留多久'],
  DRAIN_TIMEOUT: [duration, '收到 SIGTERM 后给进行中请求的时间'],
  TRUSTED_PROXIES: ['地址和网段，逗号分隔，或 loopback；空：都不信任', '哪些对端的 X-Forwarded-For 有效'],
  CORS_ORIGINS: ['* 或 https://a.example 这样的源，逗号分隔', '谁可以从浏览器调用'],
  USER_MIN_BALANCE: [dollars, '新账户至少授予多少'],
  USER_API_MIN_BALANCE: [dollars, '账户余额高于多少才能管理下级账户'],
  CALL_MIN_BALANCE: [dollars, '账户余额至少多少才能调用 API'],
  HOLD_CAP: [dollars, '一个请求开始时最多预留多少'],
  HOLD_STEP: [dollars, '流进行中每次追加预留多少'],
  FEE_TRANSACTION: [dollars, '收回余额和删除账户的手续费；root 不付'],
  FEE_LISTING: [dollars, '列出全部账户的费用；root 不付'],
  STATS_INTERVAL: ['1 到 1000000', '最多多少个请求之后更新账户显示的合计'],
  RETENTION_DAYS: ['1 到 36500', '单个请求和操作记录保留多少天；每日合计和资金变动一直保留'],
  PRICES_FILE: ['与 config/prices.json 同格式的 JSON 文件', '替换内置价格；SIGHUP 时重新读取'],
  UNKNOWN_MODELS: ['fallback 或 refuse', '没有价格的模型如何处理'],
  MODEL_MAPPER: [
    '模式=名称，可有多个，逗号分隔；模式中的 * 代表任意文本',
    '由其他模型代为服务的模型：以第一个匹配的模式为准；PUT /x-config 优先于它',
  ],
  DURABILITY: ['full 或 normal', 'normal：断电时可能丢失最后的变更'],
  ADMIN_LISTEN: ['IP:端口', '/metrics、/healthz 和 /readyz 的监听地址'],
  EMAIL_SMTP: ['邮件服务器的名称或 IP 地址', '通过它发送邮件；未设置：不发邮件'],
  EMAIL_PORT: ['1 到 65535', '邮件服务器端口'],
  EMAIL_AUTH: ['用户名', '与 EMAIL_PASS 一起用于登录邮件服务器'],
  EMAIL_PASS: ['密码', 'EMAIL_AUTH 的密码'],
  EMAIL_SENDER: ['地址，或 名称 &lt;地址&gt;', '所有邮件的发件人'],
  EMAIL_TLS: ['starttls、tls 或 none', '未设置：starttls，465 端口为 tls；none 会明文发送邮件和密码'],
  XAI_SERVICE: ['一行文字', '服务名称，写在每封邮件的末尾'],
  LOG_LEVEL: ['trace、debug、info、warn 或 error', '访问日志在 info 及更详细的级别写出；SIGHUP 时重新读取'],
  LOG_FORMAT: ['text 或 json', '日志和访问日志的格式'],
};

export const settingTexts = { groups, heads, chinese };
