/** Texts that stand side by side, {key: [English, Chinese]}, as setTexts takes them. */
export function byLanguage(pairs) {
  const pick = (place) => Object.fromEntries(Object.entries(pairs).map(([key, texts]) => [key, texts[place]]));
  return { en: pick(0), zh: pick(1) };
}
