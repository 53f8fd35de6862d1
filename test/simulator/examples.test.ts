import { readFile } from 'node:fs/promises';
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { ListFindingsCommand } from '@aws-sdk/client-guardduty';
import { expect, it } from 'vitest';
import type { ProcessOptions } from '../../src/simulator/process-options.ts';
import { spawnSimulator } from '../../src/simulator/spawn-simulator.ts';
import { guardDutyClient, logsClient } from './clients.ts';

it('the example of a simulator on its own serves its files', async () => {
  const options = JSON.parse(await readFile('examples/simulator/options.json', 'utf8')) as ProcessOptions;
  const simulator = await spawnSimulator(options);
  const [logs, guardDuty] = [logsClient(simulator.url), guardDutyClient(simulator.url)];
  try {
    const logGroupName = 'CloudTrail/GlobalServiceEvents';
    const filterPattern = '{ $.eventName = "CreateUser" }';
    expect((await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern }))).events?.length).toBe(3);
    const DetectorId = '12abc34d567e8fa901bc2d34e56789f0';
    expect((await guardDuty.send(new ListFindingsCommand({ DetectorId }))).FindingIds?.length).toBe(2);
  } finally {
    logs.destroy();
    guardDuty.destroy();
    await simulator.close();
  }
});
