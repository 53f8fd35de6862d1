import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { run, temporaryDirectory } from './support/cli.ts';

// Each command starts an engine of its own, some tests several.
vi.setConfig({ testTimeout: 120_000 });

let directory: ReturnType<typeof temporaryDirectory>;

beforeAll(() => {
  directory = temporaryDirectory();
  writeFileSync(path.join(directory.path, 'trailhound.yaml'), 'data_dir: ./data\nhunts: { paths: [./mine] }\n');
  mkdirSync(path.join(directory.path, 'mine'));
  mkdirSync(path.join(directory.path, 'rules/below'), { recursive: true });
});

afterAll(() => directory.remove());

const here = () => ({ cwd: directory.path });
const rule = (name: string, value: unknown) =>
  writeFileSync(path.join(directory.path, 'rules', name), JSON.stringify(value));

it('writes hunts that pass the check, and says why the others are none', async () => {
  rule('below/new-user.json', { source: ['aws.iam'], detail: { eventName: ['CreateUser', { prefix: "Attach'\\" }] } });
  rule('wrong.json', { source: ['aws.iam'], detail: { eventName: [{ perfix: 'Create' }] } });
  rule('package.json', { name: 'about-something-else' });

  const imported = await run(['hunt', 'import', 'eventbridge', 'rules'], here());
  expect(imported).toEqual({
    status: 1,
    stdout: 'mine/eventbridge/new-user.sql\n',
    stderr:
      'rules/wrong.json: PostgreSQL says: invalid event pattern at detail.eventName[0]: there is no comparison {"perfix": "Create"}.\n' +
      '1 hunts written, 0 unchanged, 1 rules refused\n',
  });
  const check = await run(['hunt', 'check'], here());
  expect(check).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+ hunts checked, 0 wrong\n$/) });
});

it('leaves a hunt alone that somebody has changed since, unless told otherwise', async () => {
  const file = path.join(directory.path, 'mine/eventbridge/new-user.sql');
  const written = readFileSync(file, 'utf8');
  const again = await run(['hunt', 'import', 'eventbridge', 'rules/below'], here());
  expect(again).toEqual({ status: 0, stdout: '', stderr: '0 hunts written, 1 unchanged, 0 rules refused\n' });

  writeFileSync(file, written.replace('medium', 'high'));
  const refused = await run(['hunt', 'import', 'eventbridge', 'rules/below'], here());
  expect(refused.status).toBe(1);
  expect(refused.stderr).toMatch(/below\/new-user\.json: .*new-user\.sql exists and says something else: --replace/);
  expect(readFileSync(file, 'utf8')).not.toBe(written);

  await run(['hunt', 'import', 'eventbridge', 'rules/below', '--replace'], here());
  expect(readFileSync(file, 'utf8')).toBe(written);
});

it('gives hunts in a folder below one of hunts.paths ids that begin with its name', async () => {
  const { status, stdout } = await run(['hunt', 'import', 'eventbridge', 'rules/below', '--into', 'mine/team'], here());
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'mine/team/eventbridge/new-user.sql\n' });
  expect((await run(['hunt', 'show', 'team/eventbridge/new-user'], here())).status).toBe(0);
});

it('writes a hunt for each table that a pattern is about, and says which of its events no table has', async () => {
  mkdirSync(path.join(directory.path, 'both'));
  rule('../both/all.json', { source: ['aws.guardduty'] });
  expect(await run(['hunt', 'import', 'eventbridge', 'both'], here())).toEqual({
    status: 0,
    stdout: 'mine/eventbridge/all-calls.sql\nmine/eventbridge/all-findings.sql\n',
    stderr:
      'both/all.json: no table has events that are neither calls nor findings, because the pattern does not list its detail-types\n' +
      '2 hunts written, 0 unchanged, 0 rules refused\n',
  });
});

it('names the file that an earlier import wrote of a rule that has other hunts by now', async () => {
  rule('../both/all.json', { source: ['aws.guardduty'], 'detail-type': ['GuardDuty Finding'] });
  expect(await run(['hunt', 'import', 'eventbridge', 'both'], here())).toEqual({
    status: 0,
    stdout: 'mine/eventbridge/all.sql\n',
    stderr:
      'mine/eventbridge/all-calls.sql: its rule has other hunts by now: remove the file\n' +
      'mine/eventbridge/all-findings.sql: its rule has other hunts by now: remove the file\n' +
      '1 hunts written, 0 unchanged, 0 rules refused\n',
  });
});

it('refuses a link to nothing, and reads the other files of the folder', async () => {
  mkdirSync(path.join(directory.path, 'links'));
  symlinkSync('none.json', path.join(directory.path, 'links/a.json'));
  rule('../links/b.json', { detail: { eventName: ['CreateUser'] } });
  expect(await run(['hunt', 'import', 'eventbridge', 'links'], here())).toEqual({
    status: 1,
    stdout: 'mine/eventbridge/b.sql\n',
    stderr: 'links/a.json: the file cannot be read (ENOENT)\n1 hunts written, 0 unchanged, 1 rules refused\n',
  });
});

it('says what it can read', async () => {
  const missing = await run(['hunt', 'import', 'eventbridge', 'none'], here());
  expect(missing).toMatchObject({ status: 2, stderr: expect.stringMatching(/cannot read none/) });
  const kind = await run(['hunt', 'import', 'yara', 'rules'], here());
  expect(kind).toMatchObject({ status: 2, stderr: expect.stringMatching(/yara.*eventbridge/) });
});

it('writes hunts of Sigma rules', async () => {
  const head = 'logsource: { product: aws, service: cloudtrail }\n';
  const text = (name: string, value: string) => writeFileSync(path.join(directory.path, 'rules', name), value);
  text('aws_new_user.yml', `title: It's new\n${head}detection: { s: { eventName: "Create'*" }, condition: s }\n`);
  text(
    'many.yml',
    `title: many\nname: x\n${head}detection: { s: { eventName: x }, condition: not s }
---
title: More of them
correlation: { type: event_count, rules: [x], group-by: [userIdentity.arn], timespan: 5m, condition: { gte: 5 } }\n`,
  );
  text('windows.yml', 'title: other\nlogsource: { product: windows }\ndetection: { s: { a: b }, condition: s }\n');

  const imported = await run(['hunt', 'import', 'sigma', 'rules'], here());
  expect(imported).toEqual({
    status: 1,
    stdout: 'mine/sigma/aws-new-user.sql\nmine/sigma/more-of-them.sql\n',
    stderr:
      'rules/windows.yml: logsource: windows, but CloudTrail is aws/cloudtrail\n' +
      '2 hunts written, 0 unchanged, 1 rules refused\n',
  });
  const check = await run(['hunt', 'check'], here());
  expect(check).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+ hunts checked, 0 wrong\n$/) });
});

it('writes hunts that read calls elsewhere beside those of log groups, and knows where', async () => {
  rule('below/new-user.json', { detail: { eventName: ['CreateUser'] } });
  const files = await run(['hunt', 'import', 'eventbridge', 'rules/below', '--table', 'cloudtrail_file_event'], here());
  expect(files).toMatchObject({ status: 0, stdout: 'mine/eventbridge/cloudtrail_file_event/new-user.sql\n' });
  const shown = await run(['hunt', 'show', 'eventbridge/cloudtrail_file_event/new-user'], here());
  expect(shown.stdout).toMatch(/^from cloudtrail_file_event e$/m);

  const misspelt = await run(['hunt', 'import', 'eventbridge', 'rules', '--table', 'cloudtrail_lokup_event'], here());
  expect(misspelt).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/Did you mean cloudtrail_lookup_event\?/),
  });
});
