import { demoWorld } from './demo/demo-world.ts';
import type { ProcessOptions } from './process-options.ts';
import { startSimulator } from './simulator.ts';

/**
 * The simulator as a process of its own: `main.ts '<ProcessOptions as JSON>'`, the demo's world without. Prints its URL
 * in one line and ends with its standard input.
 */
try {
  const options = JSON.parse(process.argv[2] ?? '{"world":"demo"}') as ProcessOptions;
  const world = options.world === 'demo' ? demoWorld(new Date()) : options.world;
  const simulator = await startSimulator({ ...options, world });
  process.stdout.write(`${simulator.url}\n`);
  process.stdin.resume();
  process.stdin.once('close', () => void simulator.close());
} catch (error) {
  process.stderr.write(`simulator: ${String(error)}\n`);
  process.exitCode = 1;
}
