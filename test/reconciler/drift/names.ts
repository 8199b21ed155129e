import type { Random } from '../../simulation/random.ts';

const SCRIPTS: readonly [string, ...string[]] = [
  'Größe',
  'données',
  'данные',
  'δεδομένα',
  '数据集',
  'データ',
  '데이터',
  'بيانات',
  'נתונים',
  'डेटा',
  '😀😃',
  'e\u0301',
  'é',
];
const ODD: readonly [string, ...string[]] = [
  ',',
  '"',
  '""',
  '\n',
  '\r\n',
  '\r',
  '\t',
  '\\',
  "'",
  '%2F',
  '+',
  ' ',
  '#',
  '?',
  '..',
  '.',
  '\u0001',
  '\u007f',
  '\ufeff',
  '\uffff',
];

/** A name as somebody somewhere gives to a blob; `unique` makes it one that no other has. */
export function blobName(random: Random, unique: number): string {
  const parts: string[] = [];
  for (let depth = random.between(0, 3); depth > 0; depth--) parts.push(part(random));
  const name = `${parts.join('/')}${parts.length > 0 ? '/' : ''}${part(random)}${unique}`;
  if (random.chance(0.1)) return `/${name}//`;
  // 1,024 characters, of four bytes each in UTF-8 but for the first of them.
  return random.chance(0.02) ? name + '\u{10348}'.repeat((1_024 - name.length) >>> 1) : name;
}

function part(random: Random): string {
  const kind = random.next();
  if (kind < 0.6) return `shard-${random.between(0, 9)}`;
  if (kind < 0.8) return random.pick(SCRIPTS);
  return `a${random.pick(ODD)}b${random.pick(ODD)}`;
}
