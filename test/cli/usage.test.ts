import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run, temporaryDirectory } from './support/cli.ts';

let directory: ReturnType<typeof temporaryDirectory>;

beforeEach(() => {
  directory = temporaryDirectory();
});

afterEach(() => {
  directory.remove();
});

const here = () => ({ cwd: directory.path });

it.each([
  ['an option that does not exist', ['serve', '--prot', '1'], /unknown option '--prot'[^]*--port/],
  ['a command that does not exist', ['sreve'], /unknown command 'sreve'[^]*serve/],
  ['an output that does not exist', ['query', '--output', 'xml', 'select 1'], /--output.*xml/],
  ['a parameter without a value', ['hunt', 'run', 'x', '--param', 'since'], /--param.*name=value/],
  [
    'a hunt without what it requires',
    ['hunt', 'run', 'contain/key'],
    /contain\/key needs .*\n.*--param access_key_id=…: the key/,
  ],
  [
    'an empty value of what a hunt requires',
    ['hunt', 'run', 'cloudtrail/root-activity', 'investigate/profile', '--param', 'principal='],
    /investigate\/profile needs principal\n.*--param principal=…/,
  ],
  [
    'a watched hunt without any of what it requires',
    ['hunt', 'run', 'investigate/timeline', '--every', '5m'],
    /--param principal=… or --param access_key_id=… or --param source_ip_address=…/,
  ],
  ['an argument too many', ['password', 'please'], /too many arguments/],
  ['a severity that does not exist', ['hunt', 'run', 'x', '--fail-on', 'bad'], /--fail-on.*bad/],
  ['an interval without a unit', ['hunt', 'run', 'x', '--every', '5'], /--every.*a duration of 1s or more/],
  ['an interval that no timer holds', ['hunt', 'run', 'x', '--every', '500d'], /--every.*24d at most/],
  ['two ways to say what was found', ['hunt', 'run', 'x', '--every', '5m', '--fail-on', 'low'], /cannot be used with/],
  [
    "a table's name that is none",
    ['refresh', 'cloudtrail/root-activity', '--as', 'Root'],
    /"Root" cannot be the table's/,
  ],
  ['a destination of no kind', ['hunt', 'run', 'x', '--notify', 'https://h/s3cret'], /^(?!.*s3cret).*slack:URL or/],
  [
    'a destination whose password cannot be read',
    ['hunt', 'run', 'x', '--notify', 'webhook:http://u:p%zz@s3cret/'],
    /^(?![^]*(s3cret|zz))[^]*--notify: .*percent/,
  ],
  ['a port that is none', ['serve', '--port', 'x'], /--port: expected a port, found "x"/],
  ['a configuration that does not exist', ['serve', '--config', 'no.yaml'], /no\.yaml: there is no such file/],
  ['a hunt that does not exist', ['hunt', 'show', 'console-sign-ins'], /mean cloudtrail\/console-sign-ins\?/],
  ['an option of the demo that would read a file', ['demo', '--config', 'x.yaml'], /unknown option '--config'/],
  ['two sources of SQL', ['query', 'select 1', '--file', 'x.sql'], /both SQL and --file/],
  ['a file of SQL that does not exist', ['query', '--file', 'no.sql'], /--file: cannot read no\.sql/],
])('%s is refused by name, with status 2', async (_, args, message) => {
  const { status, stdout, stderr } = await run(args, here());
  expect(stderr).toMatch(message);
  expect(stdout).toBe('');
  expect(status).toBe(2);
});

it('names file, line and key of a wrong configuration', async () => {
  writeFileSync(path.join(directory.path, 'trailhound.yaml'), 'listen:\n  prot: 1\n');
  const { status, stderr } = await run(['serve'], here());
  expect(stderr).toBe('trailhound: trailhound.yaml:2:3: listen.prot: unknown key\n  Did you mean port?\n');
  expect(status).toBe(2);
});

it('helps and tells its version with status 0', async () => {
  const help = await run(['--help'], here());
  expect(help).toMatchObject({ status: 0, stderr: '' });
  for (const command of ['serve', 'demo', 'query', 'hunt', 'user', 'password']) expect(help.stdout).toContain(command);
  expect(await run(['--version'], here())).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
});

it('lists and shows hunts without starting anything', async () => {
  const list = await run(['hunt', 'list'], here());
  expect(list).toMatchObject({ status: 0, stderr: '' });
  expect(list.stdout).toMatch(/ cloudtrail\/create-user-by-abusers +\| high +\| Users created/);
  expect(list.stdout).toMatch(/ contain\/key +\|.*\| access_key_id/);
  expect(list.stdout).toMatch(/ investigate\/timeline +\|.*\| principal or access_key_id or source_ip_address/);
  const show = await run(['hunt', 'show', 'cloudtrail/create-user-by-abusers'], here());
  expect(show.stdout).toMatch(/^-- id: cloudtrail\/create-user-by-abusers\n[^]*order by .*;\n$/);
});

it('lists hunts of a folder that the configuration names, and says which file is wrong', async () => {
  writeFileSync(path.join(directory.path, 'trailhound.yaml'), 'hunts: { paths: [.] }');
  writeFileSync(path.join(directory.path, 'mine.sql'), '-- id: other\nselect 1');
  const { status, stderr } = await run(['hunt', 'list'], here());
  expect(stderr).toMatch(/mine\.sql:1: id is other, but the file's path says mine/);
  expect(status).toBe(2);
});

it('says that there is no password before the first start', async () => {
  const { status, stderr } = await run(['password', '--data-dir', directory.path], here());
  expect(stderr).toMatch(/there is no password in .* yet/);
  expect(status).toBe(2);
});
