/**
 * The least tape of which something still holds: shorter first, then smaller numbers. Greedy, and bounded by tries.
 */
export async function shrink(
  tape: readonly number[],
  holds: (tape: readonly number[]) => Promise<boolean>,
  tries = 2_000,
): Promise<readonly number[]> {
  let best = tape;
  let left = tries;
  const attempt = async (candidate: readonly number[]): Promise<boolean> => {
    if (left <= 0) return false;
    left -= 1;
    if (!(await holds(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let before = ''; before !== best.join() && left > 0;) {
    before = best.join();
    for (let size = Math.ceil(best.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let at = best.length - size; at >= 0; at -= size) {
        const chunk = best.slice(at, at + size);
        if (await attempt([...best.slice(0, at), ...best.slice(at + size)])) continue;
        if (chunk.some((number) => number !== 0)) {
          await attempt([...best.slice(0, at), ...chunk.map(() => 0), ...best.slice(at + size)]);
        }
      }
    }
    for (const [at, number] of best.entries()) {
      for (const smaller of new Set([1, 2, 3, 5, 7, 9, number % 10, number % 100, number % 1000])) {
        if (smaller >= number) continue;
        if (await attempt(best.map((each, index) => (index === at ? smaller : each)))) break;
      }
    }
  }
  return best;
}
