/** FNV-1a, 32 bits, with a final mix: spreads texts evenly and is the same on every run. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** One of them, always the same for the same text. */
export function pick<const T extends readonly [unknown, ...unknown[]]>(choices: T, text: string): T[number] {
  return choices[hash(text) % choices.length];
}
