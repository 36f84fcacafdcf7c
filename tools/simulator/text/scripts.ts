/** Sentences in many scripts, and emoji, for tests of what cuts and counts characters. */
import type { Chance } from './chance.ts';

const SENTENCES = {
  latin: [
    'Kein Zeichen geht verloren, auch wenn der Strom ausfällt.',
    'Où que vous soyez, la réponse reprend là où elle s’était arrêtée.',
    '¿Se cortó la conexión? La respuesta continúa en la palabra siguiente.',
    'A ligação caiu, mas o texto não perdeu uma única palavra.',
    'Każde słowo ma swój numer, więc żadne się nie zgubi.',
    'Bağlantı koptu, ama yanıt kaldığı yerden sürüyor.',
    'Mỗi từ đều có số thứ tự, nên không từ nào bị mất.',
  ],
  greek: ['Καμία λέξη δεν χάνεται, ακόμη κι αν πέσει το δίκτυο.'],
  cyrillic: [
    'Ни одно слово не теряется, даже если связь оборвалась.',
    'Кожне слово має свій номер, тож жодне не губиться.',
  ],
  georgian: ['არც ერთი სიტყვა არ იკარგება.'],
  armenian: ['Ոչ մի բառ չի կորչում։'],
  hebrew: ['אף מילה לא הולכת לאיבוד, גם כשהקשר נותק.'],
  arabic: ['لا تضيع أي كلمة، حتى لو انقطع الاتصال.', 'هیچ واژه‌ای گم نمی‌شود.'],
  devanagari: ['कोई शब्द नहीं खोता, चाहे कनेक्शन टूट जाए।'],
  bengali: ['কোনো শব্দ হারায় না।'],
  tamil: ['எந்தச் சொல்லும் தொலைந்து போகாது.'],
  thai: ['ไม่มีคำใดสูญหาย แม้การเชื่อมต่อจะขาดหายไป'],
  han: ['即使连接中断，也不会丢失任何一个字。', '每個字都有編號，所以順序不會亂。', '𠮷野家的𠮷字也不会丢。'],
  kana: ['接続が切れても、言葉はひとつも失われません。'],
  hangul: ['연결이 끊겨도 한 글자도 사라지지 않습니다.'],
  emoji: [
    '👩‍💻 writes, 👨‍👩‍👧‍👦 reads, and 🏳️‍🌈 waves.',
    'Flags: 🇩🇪 🇯🇵 🇧🇷; keys: 1️⃣ 2️⃣ 3️⃣; hands: 👍🏽 🤝🏿 ✊🏻.',
    '🚀 before ❤️‍🔥, and ☕️ before both.',
  ],
  /** Letters with separate accents, and Hangul in its parts. */
  combining: [
    'Cafe\u0301 nai\u0308ve, A\u030Angstro\u0308m, and o\u0323\u0302 with two accents.',
    '\u1112\u1161\u11AB\u1100\u1173\u11AF, and か\u3099 in two parts.',
  ],
  /** Characters of two UTF-16 units each. */
  astral: ['𝒜 ∈ 𝔸, and 𝟙 + 𝟙 = 𝟚.', '𐌰𐌱𐌲, 𐐀𐐁𐐂 and 𓀀𓁐𓃾 are letters, too.'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

const MOST_POINTS = 3;

/** The tokens of an endless text in one script, or in all of them (`mixed`), cut between code points. */
export function writeInScript(chance: Chance, script: string, mark: string, tokens: number): string[] {
  const sentences: readonly string[] = Object.hasOwn(SENTENCES, script)
    ? SENTENCES[script as keyof typeof SENTENCES]
    : Object.values(SENTENCES).flat();
  const pieces: string[] = [];
  let points: string[] = [];
  let place = 0;
  let next = `Sample ${mark} of many scripts: `;
  let round: string[] = [];
  while (pieces.length < tokens) {
    if (place >= points.length) {
      points = Array.from(next);
      place = 0;
      if (round.length === 0) round = chance.shuffle(sentences);
      next = `${round.pop()}${chance.below(4) === 0 ? '\n\n' : ' '}`;
    }
    const size = 1 + chance.below(MOST_POINTS);
    pieces.push(points.slice(place, place + size).join(''));
    place += size;
  }
  const last = pieces.at(-1)?.trimEnd();
  if (last !== undefined) pieces[pieces.length - 1] = last === '' ? '.' : last;
  return pieces;
}
