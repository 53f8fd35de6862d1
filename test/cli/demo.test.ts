import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/engine/client.ts';
import { FakeSlack } from '../hunts/support/fake-slack.ts';
import { CliProcess, run, temporaryDirectory } from './support/cli.ts';

const directory = temporaryDirectory();
const dataDir = path.join(directory.path, 'data');
const common = ['--data-dir', dataDir];
/** Where the hunts find a demo that stays up. */
const ofDemo = ['--data-dir', path.join(dataDir, 'demo')];

/** Whoever reads these fails: nothing answers there, and the profile does not exist. */
const ENVIRONMENT = {
  AWS_PROFILE: 'none',
  AWS_REGION: 'nowhere-1',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
  AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: 'http://127.0.0.1:1',
  AWS_CONFIG_FILE: '/none',
  ABUSEIPDB_API_KEY: 'not-for-the-demo',
  ABUSEIPDB_URL: 'http://127.0.0.1:1',
  TRAILHOUND_CONFIG: 'none.yaml',
};
const here = { cwd: directory.path, env: ENVIRONMENT };

beforeAll(() => {
  writeFileSync(path.join(directory.path, 'trailhound.yaml'), 'this: is no configuration');
});

afterAll(() => directory.remove());

it('--once tells the made-up intrusion by hunts, prints their tables and ends', async () => {
  const { status, stdout, stderr } = await run(['demo', '--once', ...common], here);
  expect(stderr).not.toMatch(/ERROR|Warning/);
  expect(stderr).toMatch(/cloudtrail\/create-user-by-abusers \(high\): /);
  // The intruder's key makes two users, from two abused addresses.
  const [, byAbusers = ''] = stdout.split(/^\(\d+ rows?\)$/m);
  const rows = byAbusers.split('\n').filter((line) => line.includes('| CreateUser '));
  expect(rows.map((row) => row.split('|').map((cell) => cell.trim()))).toEqual([
    expect.arrayContaining(['high', 'arn:aws:iam::111122223333:user/deploy-bot', 'svc-backup', '100']),
    expect.arrayContaining(['high', 'arn:aws:iam::111122223333:user/deploy-bot', 'admin', '97']),
  ]);
  expect(stdout).toMatch(/\| ConsoleLogin Success +\|/);
  expect(stdout).toMatch(/\| UnauthorizedAccess:IAMUser\/TorIPCaller +\|/);
  expect(stdout.match(/^\(\d+ rows?\)$/gm)).toHaveLength(4);
  expect(status).toBe(0);
});

describe('without --once', () => {
  let demo: CliProcess;
  let port: number;
  let password: string;

  beforeAll(async () => {
    demo = new CliProcess(['demo', '--port', '0', '--http-port', '0', ...common], here);
    const ready = await demo.waitFor('stdout', /^ready: postgres:\/\/trailhound@127\.0\.0\.1:(\d+)\/trailhound_demo$/m);
    port = Number(ready[1]);
    password = (await run(['password', ...ofDemo], { cwd: path.dirname(directory.path) })).stdout.trim();
  });

  afterAll(async () => {
    expect((await demo.stop()).status).toBe(0);
  });

  it('says to each connection that nothing is real', async () => {
    const client = new Client({ host: '127.0.0.1', port, user: 'trailhound', database: 'trailhound_demo', password });
    const notices: (string | undefined)[] = [];
    client.on('notice', (notice) => notices.push(notice.message));
    await client.connect();
    await client.query('select 1');
    await client.end();
    expect(notices).toEqual(['demo data: nothing here is real']);
  });

  const hunt = (...args: string[]) => run(['hunt', 'run', ...args, ...ofDemo], { cwd: path.dirname(directory.path) });
  const NAME = 'cloudtrail/create-user-by-abusers';

  it('hunts find it by its data directory; --fail-on makes rows status 3', async () => {
    const found = await hunt(NAME, '--output', 'csv');
    expect(found.status).toBe(0);
    expect(found.stdout.split('\n')[0]).toMatch(
      /^event_time,severity,principal,action,resource,source_ip,account_id,region,event_id,console_url,detail,/,
    );
    expect(found.stdout.trim().split('\n')).toHaveLength(3);
    expect((await hunt(NAME, '--fail-on', 'high')).status).toBe(3);
    expect((await hunt(NAME, '--fail-on', 'critical')).status).toBe(0);
    expect((await hunt(NAME, '--fail-on', 'high', '--param', 'since=1 minute')).status).toBe(0);
  });

  it('parameters narrow a hunt; wrong ones are refused before it runs', async () => {
    const narrow = await hunt(NAME, '--param', 'min_score=99', '--output', 'jsonl');
    expect(
      narrow.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { resource: string }).resource),
    ).toEqual(['svc-backup']);
    const none = await hunt(NAME, '--param', 'min_score=101');
    expect(none.stdout).toMatch(/\n\(0 rows\)\n$/);
    expect(none.stderr).toMatch(
      /^0 rows\. Searched .* in us-east-1, \d{4}-\d\d-\d\d \d\d:\d\d \.\. \d{4}-\d\d-\d\d \d\d:\d\d UTC.*: [\d,]+ events, newest (\d{4}-\d\d-\d\d )?\d\d:\d\d\.$/m,
    );
    const noAlias = await run(['query', "select from cloudtrail_trail_event where event_name = 'Nothing'", ...ofDemo], {
      cwd: path.dirname(directory.path),
    });
    expect(noAlias.stderr).toMatch(
      /^0 rows\. Searched .* in us-east-1, until \S+ \S+ UTC, only \{ .*\$\.eventName = "Nothing".* \}: 0 events\.$/m,
    );
    const misspelt = await hunt(NAME, '--param', 'sinc=1h');
    expect(misspelt).toMatchObject({ status: 2, stderr: expect.stringMatching(/has no sinc\n.*mean since\?/) });
    const wrong = await hunt(NAME, '--param', 'since=yesterdayish');
    expect(wrong).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--param since: "yesterdayish" is no interval/),
    });
  });

  it('configuration overrides severities and takes principals for granted, counted', async () => {
    const cwd = temporaryDirectory();
    try {
      writeFileSync(
        path.join(cwd.path, 'trailhound.yaml'),
        `hunts: { severity: { ${NAME}: low }, known: ["22.33.44.*"] }`,
      );
      const { stdout, stderr, status } = await run(
        ['hunt', 'run', NAME, '--output', 'jsonl', '--fail-on', 'medium', ...ofDemo],
        { cwd: cwd.path },
      );
      expect(status).toBe(0);
      expect(
        stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      ).toEqual([expect.objectContaining({ severity: 'low', resource: 'svc-backup' })]);
      expect(stderr).toContain('1 more row is taken for granted by hunts.known.');
    } finally {
      cwd.remove();
    }
  });

  it('watches hunts: new rows go to Slack once, whatever happens in between; SIGINT ends it', async () => {
    const slack = await FakeSlack.start();
    const args = [
      'hunt',
      'run',
      NAME,
      '--every',
      '1s',
      '--notify',
      `slack:${slack.url}`,
      '--output',
      'jsonl',
      ...ofDemo,
    ];
    try {
      const first = new CliProcess(args, { cwd: path.dirname(directory.path) });
      await slack.came(1);
      await first.waitFor('stdout', /\n.*\n/);
      const ended = await first.stop('SIGINT');
      expect(ended.status).toBe(130);
      expect(ended.stdout.trim().split('\n')).toHaveLength(2);
      expect(ended.stderr).toBe(`${NAME} (high): 2 new of 2 rows\n`);

      const once = await run(args.toSpliced(3, 2), { cwd: path.dirname(directory.path) });
      expect(once).toEqual({ status: 0, stdout: '', stderr: '' });
      expect(slack.messages.map(({ text }) => text)).toEqual([
        expect.stringMatching(/^HIGH: Users created .* \(2 new\)$/),
      ]);

      slack.answer([403, 'invalid_token']);
      const refused = await run([...args.toSpliced(3, 2), '--param', 'min_score=99'], {
        cwd: path.dirname(directory.path),
      });
      // Other parameters make another watch; what is printed does not wait for who refuses to be told.
      expect(refused.status).toBe(1);
      expect(refused.stdout.trim().split('\n')).toHaveLength(1);
      expect(refused.stderr).toBe(
        `${NAME} (high): 1 new of 1 rows\n` +
          `trailhound: ${NAME}: the next run tells it again: slack refuses the notification: HTTP status 403 invalid_token\n`,
      );
    } finally {
      await slack.close();
    }
  });
});
