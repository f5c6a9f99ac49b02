// Texts of this section.
import { byLanguage } from '../shared/by-language.js';

export const texts = byLanguage({
  'mapping.about': ['Models that others serve: who asks for a model on the left is served, and charged, by the one on the right. * is any text.', '由其他模型代为服务的模型：请求左侧模型时，由右侧模型应答并按其计费。* 代表任意文字。'],
  'mapping.order': ['The first that matches counts; what comes out is not mapped again. Changes count at once and after a restart.', '以第一个匹配的为准，结果不再映射。更改立即生效，重启后仍有效。'],
  'mapping.none': ['No model is mapped.', '没有映射。'],
  'mapping.add': ['Add a row', '添加一行'],
  'mapping.save': ['Save', '保存'],
  'mapping.reset': ['Back to MODEL_MAPPER', '恢复 MODEL_MAPPER'],
  'mapping.saving': ['Saving…', '正在保存…'],
  'mapping.saved': ['Saved. It counts from now on.', '已保存，立即生效。'],
  'mapping.was_reset': ['What the environment’s MODEL_MAPPER says counts again.', '已恢复为环境中的 MODEL_MAPPER。'],
  'mapping.pattern': ['Pattern of row {n}', '第 {n} 行的模式'],
  'mapping.name': ['Served by, row {n}', '第 {n} 行的服务模型'],
  'mapping.pattern.example': ['gpt-3.5*', 'gpt-3.5*'],
  'mapping.name.example': ['gpt-4o-mini', 'gpt-4o-mini'],
  'mapping.up': ['Move row {n} up', '上移第 {n} 行'],
  'mapping.down': ['Move row {n} down', '下移第 {n} 行'],
  'mapping.remove': ['Remove row {n}', '移除第 {n} 行'],
  'mapping.comma': ['A comma cannot stand in a model’s name here: use one row for each pattern.', '模型名中不能有逗号：每个模式请单独一行。'],
  'mapping.equals': ['A pattern cannot have an = in it.', '模式中不能有 =。'],
  'mapping.refused': ['Not saved, row {n}: {message}', '未保存，第 {n} 行：{message}'],
});
