import { setTimeout as sleep } from 'node:timers/promises';

/** For what happens soon after, and announces itself nowhere: the test's own time limit ends the wait. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}
