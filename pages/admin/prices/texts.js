// Texts of this section.
import { byLanguage } from '../shared/by-language.js';

export const texts = byLanguage({
  'price.caption': ['Prices', '价格'],
  'price.search': ['Search models', '搜索模型'],
  'price.about': ['Dollars for a million tokens, as the daemon charges before an account’s rate. Prices come from PRICES_FILE and are read again on SIGHUP.', '每百万 Token 的美元价格，未乘账户倍率。价格来自 PRICES_FILE，收到 SIGHUP 时重新读取。'],
  'price.none': ['No model fits.', '没有符合的模型。'],
  'price.fallback': ['any other model', '其他任何模型'],
  'price.input': ['Input', '输入'],
  'price.cached': ['Cached', '缓存'],
  'price.output': ['Output', '输出'],
  'price.audio_input': ['Audio in', '音频输入'],
  'price.audio_output': ['Audio out', '音频输出'],
  'price.others': ['Others', '其他'],
  'price.tiers': ['Service tiers', '服务等级'],
  'price.cache_write': ['cache write', '缓存写入'],
  'price.image_input': ['image input', '图像输入'],
  'price.image_output': ['image output', '图像输出'],
  'price.second': ['a second', '每秒'],
  'price.million_characters': ['a million characters', '每百万字符'],
  'price.image': ['image {size} {cost}', '图像 {size} {cost}'],
  'price.long': ['from {from} tokens: input ×{input}, output ×{output}', '超过 {from} Token：输入 ×{input}，输出 ×{output}'],
});
