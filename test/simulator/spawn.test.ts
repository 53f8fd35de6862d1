import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { spawnSimulator } from '../../src/simulator/spawn-simulator.ts';
import { singleLogGroup } from '../../src/simulator/world.ts';
import { logsClient } from './clients.ts';

describe('a simulator in a process of its own', () => {
  it('serves, counts, takes faults, and ends when it is closed', async () => {
    const synthetic = { count: 50, from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 2) };
    const simulator = await spawnSimulator({ world: singleLogGroup({ synthetic }) });
    try {
      const client = logsClient(simulator.url);
      const filter = new FilterLogEventsCommand({ logGroupName: 'CloudTrail/GlobalServiceEvents' });
      expect((await client.send(filter)).events?.length).toBe(50);
      await simulator.fault({ service: 'logs', effect: { kind: 'throttle' } });
      await expect(client.send(filter)).rejects.toMatchObject({ name: 'ThrottlingException' });
      expect((await simulator.calls()).services.logs).toMatchObject({ calls: 2, operations: { FilterLogEvents: 2 } });
      client.destroy();
    } finally {
      await simulator.close();
    }
    await expect(fetch(simulator.url)).rejects.toThrow();
  });

  it('that cannot start says so', async () => {
    const world = singleLogGroup({ files: ['/does/not/exist.ndjson'] });
    await expect(spawnSimulator({ world })).rejects.toThrow('ended with status 1');
  });
});
