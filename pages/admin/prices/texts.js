// Texts of this section.
export const texts = {
  en: {
    'price.caption': 'Prices', 'price.search': 'Search models',
    'price.about': 'Dollars for a million tokens, as the daemon charges before an account’s rate. Prices come from PRICES_FILE and are read again on SIGHUP.',
    'price.none': 'No model fits.', 'price.fallback': 'any other model', 'price.input': 'Input', 'price.cached': 'Cached',
    'price.output': 'Output', 'price.audio_input': 'Audio in', 'price.audio_output': 'Audio out', 'price.others': 'Others',
    'price.tiers': 'Service tiers', 'price.cache_write': 'cache write', 'price.image_input': 'image input',
    'price.image_output': 'image output', 'price.second': 'a second', 'price.million_characters': 'a million characters',
    'price.image': 'image {size} {cost}', 'price.long': 'from {from} tokens: input ×{input}, output ×{output}',
  },
  zh: {
    'price.caption': '价格', 'price.search': '搜索模型', 'price.about': '每百万令牌的美元价格，未乘账户倍率。价格来自 PRICES_FILE，收到 SIGHUP 时重新读取。',
    'price.none': '没有符合的模型。', 'price.fallback': '其他任何模型', 'price.input': '输入', 'price.cached': '缓存', 'price.output': '输出',
    'price.audio_input': '音频输入', 'price.audio_output': '音频输出', 'price.others': '其他', 'price.tiers': '服务等级', 'price.cache_write': '缓存写入',
    'price.image_input': '图像输入', 'price.image_output': '图像输出', 'price.second': '每秒', 'price.million_characters': '每百万字符',
    'price.image': '图像 {size} {cost}', 'price.long': '超过 {from} 令牌：输入 ×{input}，输出 ×{output}',
  },
};
