import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Client } from '../../src/engine/client.ts';
import { read } from '../house/repository.ts';
import { json, startFakeService, type FakeService } from '../support/fake-service.ts';
import { failure, openRoad, simulatedConnections, sorted, textRows, type Road } from './support/road.ts';

const SECRET = 'the-made-up-secret';

/** What the service knows, by address. */
const KNOWN: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '198.51.100.7': { noise: true, class: 'malicious', seen: { last: '2026-11-20' }, tags: ['ssh', 'a,b'], score: 99 },
  '203.0.113.9': {
    noise: false,
    class: 'benign',
    'the name': 'Odd "name"',
    seen: {},
    score: 12.5,
    hits: 4_503_599_627_370_497,
  },
  '2001:db8::1': { noise: false, seen: { last: null }, tags: [] },
};
/** As the Community API answers for an address that it knows. */
const GREYNOISE = {
  ip: '33.44.55.66',
  noise: false,
  riot: true,
  classification: 'benign',
  name: 'Example',
  link: 'https://viz.greynoise.io/ip/33.44.55.66',
  last_seen: '2026-01-01',
  message: 'Success',
};
/** Numbers that a double would change, or print otherwise. */
const EXACT = `{"n": [9007199254740993, 1.50, 1e-7, -0.0, 1E+2], "deep": {"id": 12345678901234567890123}, "whole": 7.0}`;
const EXITS = ['198.51.100.7', '203.0.113.77'];

/** As services document their answers, shortened; by the beginning of the path. */
const SERVICES: Readonly<Record<string, unknown>> = {
  '/api/v3/ip_addresses/': {
    data: {
      id: '33.44.55.66',
      type: 'ip_address',
      attributes: {
        as_owner: 'Example',
        asn: 64500,
        country: 'NL',
        last_analysis_date: 1_767_225_600,
        last_analysis_stats: { harmless: 60, malicious: 3, suspicious: 1, undetected: 20, timeout: 0 },
        reputation: -7,
        tags: ['tor', 'vpn'],
      },
    },
  },
  '/shodan/host/': {
    ip_str: '33.44.55.66',
    org: 'Example',
    asn: 'AS64500',
    os: null,
    ports: [22, 443],
    hostnames: ['a.example'],
    vulns: ['CVE-2026-0001'],
    last_update: '2026-01-22T08:49:35.190817',
  },
  '/33.44.55.66/json': { ip: '33.44.55.66', hostname: 'a.example', org: 'AS64500 Example', loc: '52.37,4.89' },
  '/api/v1/indicators/IPv4/': {
    indicator: '33.44.55.66',
    asn: 'AS64500 Example',
    country_code: 'NL',
    pulse_info: { count: 1, pulses: [{ id: '1', name: 'Scanners' }] },
  },
  '/api/v1/search/': {
    total: 1,
    has_more: false,
    results: [
      {
        _id: '1',
        task: { time: '2026-01-01T00:00:00.000Z' },
        page: { url: 'https://a.example/', domain: 'a.example' },
        result: 'https://urlscan.io/api/v1/result/1/',
      },
    ],
  },
};

const NOISE = `'[
  {"name": "ip", "type": "inet", "key": true},
  {"name": "noise", "type": "boolean", "path": "$.noise"},
  {"name": "class", "type": "text", "path": "$.class", "comment": "What it is taken for"},
  {"name": "label", "type": "text", "path": "$[\\"the name\\"]"},
  {"name": "last_seen", "type": "timestamptz", "path": "$.seen.last"},
  {"name": "tags", "type": "text[]", "path": "$.tags"},
  {"name": "second_tag", "type": "text", "path": "$.tags[1]"},
  {"name": "score", "type": "double precision", "path": "$.score"},
  {"name": "hits", "type": "bigint", "path": "$.hits"},
  {"name": "raw", "type": "jsonb", "path": "$"}]'`;

let service: FakeService;
let road: Road;
let client: Client;
/** The names mean plain tables that hold everything: what PostgreSQL says of them is right. */
let oracle: Client;

beforeAll(async () => {
  service = await startFakeService((request, response) => {
    const { pathname, searchParams } = new URL(request.target, 'http://service');
    const [, path = '', key = ''] = pathname.split('/').map(decodeURIComponent);
    const known = KNOWN[key];
    if (path === 'ip' && known !== undefined) json(response, known);
    else if (path === 'user') json(response, { data: { items: key === 'eve' ? [{ id: 1 }, { id: 2 }] : [] } });
    else if (path === 'limited') json(response, { days: Number(searchParams.get('days')) });
    else if (path === 'asn') json(response, { name: `AS ${key}` });
    else if (path === 'odd')
      json(response, { count: key === 'good' ? 7 : 'many', at: key === 'good' ? null : 1_763_000_000, empty: '' });
    else if (searchParams.get('size') === '100') json(response, { has_more: true, results: [] });
    else if (path === 'exact') response.end(EXACT);
    else if (path === 'v3' && pathname.endsWith('/33.44.55.66')) json(response, GREYNOISE);
    else if (path === 'exits' || path === 'torbulkexitlist') response.end(`# exits\n${EXITS.join('\n\n')}\r\n`);
    else {
      const service = Object.keys(SERVICES).find((start) => pathname.startsWith(start));
      if (service === undefined) response.writeHead(404).end('{}');
      else json(response, SERVICES[service]);
    }
  });
  road = await openRoad({
    simulator: { world: { accounts: [] } },
    yaml: (simulator) =>
      [
        simulatedConnections(simulator),
        `  noise: { kind: http, host: "${service.host}", headers: { key: ${SECRET} } }`,
        `  few: { kind: http, host: "${service.host}", quota_per_day: 3 }`,
        `  plain: { kind: http }`,
        ...['greynoise', 'tor', 'virustotal', 'shodan', 'ipinfo', 'otx', 'urlscan'].map(
          (name) => `  ${name}: { kind: http }`,
        ),
        `http: { allow: [api.example.com], allow_private: ["${service.host}"] }`,
      ].join('\n'),
  });
  client = await road.connect();
  oracle = await road.connect();
  await client.query(`
    create table workspace.seen (address text, at int);
    insert into workspace.seen values ('198.51.100.7', 1), ('203.0.113.9', 2), ('203.0.113.9', 3), ('192.0.2.1', 4),
      ('cloudformation.amazonaws.com', 5), (null, 6), ('10.0.0.0/8', 7), ('2001:db8::1', 8);
    create table workspace.people (name text, asn bigint);
    insert into workspace.people values ('eve', 64500), ('a/../b?c#d %', 64501), ('mallory', null), ('..', 9007199254740993), ('', 0)`);
  await make('noise_ip', '/ip/{ip}', NOISE, 'noise');
  await make(
    'item_of',
    '/user/{name}',
    `'[{"name": "name", "type": "text", "key": true}, {"name": "id", "type": "integer", "path": "$.id"}]'`,
    'plain',
    ", rows_at => '$.data.items'",
  );
  await make(
    'asn_of',
    '/asn/{asn}',
    `'[{"name": "asn", "type": "bigint", "key": true}, {"name": "name", "type": "text", "path": "$.name"}]'`,
    'plain',
  );
  await make(
    'exact_of',
    '/exact/{k}',
    `'[{"name": "k", "type": "text", "key": true}, {"name": "raw", "type": "jsonb", "path": "$", "not_null": true}, {"name": "id", "type": "jsonb", "path": "$.deep.id"},
       {"name": "first", "type": "text", "path": "$.n[0]"}, {"name": "tiny", "type": "text", "path": "$.n[2]"}, {"name": "n", "type": "text[]", "path": "$.n"},
       {"name": "big", "type": "bigint", "path": "$.n[0]"}, {"name": "whole", "type": "integer", "path": "$.whole"}, {"name": "deep", "type": "text", "path": "$.deep"}]'`,
    'plain',
  );
  await make('tor_exit', '/exits', `'[{"name": "ip", "type": "inet", "path": "$"}]'`, 'plain', ", format => 'lines'");
  await oracle.query(`
    create temp table noise_ip (ip inet not null, noise boolean, class text, label text, last_seen timestamptz,
      tags text[], second_tag text, score float8, hits bigint, raw jsonb);
    create temp table item_of (name text not null, id int);
    insert into item_of values ('eve', 1), ('eve', 2);
    create temp table asn_of (asn bigint not null, name text);
    insert into asn_of select asn, 'AS ' || asn from workspace.people where asn is not null;
    create temp table tor_exit (ip inet);
    insert into tor_exit values ('${EXITS.join("'), ('")}')`);
  await oracle.query(
    `create temp table exact_of as select 'x' as k, r as raw, r #> '{deep,id}' as id, r #>> '{n,0}' as first, r #>> '{n,2}' as tiny,
       array(select jsonb_array_elements_text(r -> 'n')) as n, (r #>> '{n,0}')::bigint as big, (r ->> 'whole')::numeric::int as whole,
       '{"id":' || (r #>> '{deep,id}') || '}' as deep
     from (select $1::jsonb as r) given`,
    [EXACT],
  );
  for (const [ip, known] of Object.entries(KNOWN)) {
    await oracle.query(
      `insert into noise_ip select $1, (r ->> 'noise')::boolean, r ->> 'class', r ->> 'the name', (r #>> '{seen,last}')::timestamptz,
         case when r ? 'tags' then array(select jsonb_array_elements_text(r -> 'tags')) end, r #>> '{tags,1}', (r ->> 'score')::float8,
         (r ->> 'hits')::bigint, r from (select $2::jsonb as r) given`,
      [ip, JSON.stringify(known)],
    );
  }
});
afterAll(async () => {
  await road.close();
  await service.close();
});
beforeEach(async () => {
  await client.query('select trailhound.cache_clear()');
  service.received.length = 0;
});

function make(
  name: string,
  path: string,
  columns: string,
  connection: string,
  more = '',
  by = client,
): Promise<unknown> {
  const url = path.startsWith('/') ? `http://${service.host}${path}` : path;
  return by.query(`select trailhound.create_lookup('${name}', '${url}', ${columns}, '${connection}'${more})`);
}

/** The definitions on a page, over the made-up service. */
function documented(page: string): readonly string[] {
  const blocks = [...read(page).matchAll(/```sql\n(select trailhound\.create_lookup[^]*?)```/g)];
  return blocks.map(([, sql = '']) => sql.replace(/https:\/\/[^/']+/, `http://${service.host}`));
}

const asked = () => service.received.map(({ target }) => target).sort();

async function isAsOverPlainTables(text: string): Promise<void> {
  expect(sorted(await textRows(client, text))).toEqual(sorted(await textRows(oracle, text)));
}

const ADDRESSES = ['192.0.2.1', '198.51.100.7', '2001%3Adb8%3A%3A1', '203.0.113.9'].map((ip) => `/ip/${ip}`);

describe('rows of a table made by SQL are those of a plain one', () => {
  it.each([
    ['select s.at, n.* from seen s join noise_ip n on n.ip = s.address', ADDRESSES],
    ['select s.at, n.class, n.tags from seen s left join noise_ip n on n.ip = s.address', ADDRESSES],
    [
      "select * from noise_ip where ip in ('198.51.100.7', '198.51.100.7', '192.0.2.1')",
      ['/ip/192.0.2.1', '/ip/198.51.100.7'],
    ],
    [
      'select count(*) from seen s where not exists (select from noise_ip n where n.ip = s.address and n.noise)',
      ADDRESSES,
    ],
    ["select ip from noise_ip where ip = '10.0.0.0/8'", []],
    ['select ip from noise_ip where ip = null', []],
    [
      'select p.name, i.id from people p left join item_of i on i.name = p.name',
      ['/user/a%2F..%2Fb%3Fc%23d%20%25', '/user/eve', '/user/mallory'],
    ],
    ["select id from item_of where name = any ('{eve,nobody}')", ['/user/eve', '/user/nobody']],
    [
      'select p.name, a.name from people p join asn_of a using (asn)',
      ['/asn/0', '/asn/64500', '/asn/64501', '/asn/9007199254740993'],
    ],
    ['select name from asn_of where asn = 9007199254740993', ['/asn/9007199254740993']],
    ['select name from asn_of where asn in (64500.5, 64501.0, 1e30)', ['/asn/64501']],
    ["select name from asn_of where asn in ('64500', '64501')", ['/asn/64500', '/asn/64501']],
    ["select id from item_of where name = 'eve'::char(9)", ['/user/eve']],
    [
      "select id from item_of where name in ('eve'::name, 'x'::varchar) or name is not distinct from null",
      ['/user/eve', '/user/x'],
    ],
    ['select name from asn_of where asn = any (array[64500, null]::int[])', ['/asn/64500']],
    ["select name from asn_of where asn in ('64501'::real, 'NaN'::numeric, '-Infinity'::float8)", ['/asn/64501']],
    ['select name from asn_of where asn between 64500 and 64500', ['/asn/64500']],
    [
      'select (select a.name from asn_of a where a.asn = p.asn) from people p where p.asn < 64501',
      ['/asn/0', '/asn/64500'],
    ],
    [
      'select ip from tor_exit where ip not in (select ip from noise_ip where ip = any (array(select ip from tor_exit)))',
      ['/exits', '/ip/198.51.100.7', '/ip/203.0.113.77'],
    ],
    ["select n.raw ->> 'score', n.raw -> 'tags' from noise_ip n where n.ip = '198.51.100.7'", ['/ip/198.51.100.7']],
    ['select s.at from seen s join tor_exit t on t.ip = s.address', ['/exits']],
    ['select count(*) from tor_exit', ['/exits']],
    ["select * from exact_of where k = 'x'", ['/exact/x']],
    ["select raw ->> 'whole', raw #>> '{deep,id}', raw -> 'n' -> 0 = id from exact_of where k = 'x'", ['/exact/x']],
  ])('%s', async (text, keys) => {
    await isAsOverPlainTables(text);
    expect(asked()).toEqual(keys);
  });

  it('are those of what EXPLAIN says, which asks nothing', async () => {
    const lines = await textRows(client, 'explain select class from noise_ip n join seen s on n.ip = s.address');
    expect(lines.flat()).toContain('Trailhound: noise_ip n: lookup by ip');
    expect(asked()).toEqual([]);
  });
});

describe('a key', () => {
  it('that an answer is kept for is not asked again, nor one that has no row', async () => {
    const text = "select count(*) from noise_ip where ip in ('198.51.100.7', '192.0.2.1')";
    expect([await textRows(client, text), await textRows(client, text)]).toEqual([[['1']], [['1']]]);
    expect(asked()).toEqual(['/ip/192.0.2.1', '/ip/198.51.100.7']);
    const list = 'select ip from tor_exit limit 1';
    expect([await textRows(client, list), await textRows(client, list)]).toEqual([[[EXITS[0]]], [[EXITS[0]]]]);
    expect(await textRows(client, 'select count(*) from tor_exit')).toEqual([['2']]);
    expect(asked().filter((target) => target === '/exits')).toHaveLength(2);
  });

  it('that nothing bounds is refused before any request', async () => {
    expect(await failure(client.query('select * from noise_ip'))).toMatchObject({ code: 'HV002' });
    expect(asked()).toEqual([]);
  });

  it('of type text is no address, which has many texts', async () => {
    const text = "select id from item_of i, (values ('198.51.100.7'::inet)) as v(ip) where i.name = v.ip";
    expect(await failure(client.query(text))).toMatchObject({ code: '0A000', hint: expect.stringContaining('host(') });
    const collated = 'select id from item_of i, seen s where i.name = s.address collate anyhow';
    await client.query(
      "create collation workspace.anyhow (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    );
    expect(await failure(client.query(collated))).toMatchObject({ code: '0A000' });
    expect(asked()).toEqual([]);
  });

  it('is asked with the secrets of its connection, which nobody sees', async () => {
    await client.query("select * from noise_ip where ip = '198.51.100.7'");
    expect(service.received.map(({ headers }) => headers['key'])).toEqual([SECRET]);
    const seen = await Promise.all(
      ['trailhound.lookup', 'trailhound.connection', 'trailhound.scan', 'trailhound.quota'].map((from) =>
        textRows(client, `select * from ${from}`),
      ),
    );
    expect(JSON.stringify(seen)).not.toContain(SECRET);
  });

  it('is asked with the inputs of its statement', async () => {
    const columns = `'[{"name": "name", "type": "text", "key": true}, {"name": "days", "type": "integer", "default": "30"}, {"name": "said", "type": "integer", "path": "$.days"}]'`;
    await make('limited', '/limited/{name}?days={days}', columns, 'plain');
    expect(await textRows(client, "select days, said from limited where name = 'x'")).toEqual([['30', '30']]);
    expect(
      await textRows(client, "select days, said from limited where name = 'x' and days in (7, 9) order by 1"),
    ).toEqual([
      ['7', '7'],
      ['9', '9'],
    ]);
    expect(asked()).toEqual(['/limited/x?days=30', '/limited/x?days=7', '/limited/x?days=9']);
  });
});

describe('an answer', () => {
  it('that does not fit a column fails the statement that reads it, naming column and key', async () => {
    const columns = `'[{"name": "k", "type": "text", "key": true}, {"name": "count", "type": "integer", "path": "$.count"}, {"name": "at", "type": "timestamptz", "path": "$.at"}, {"name": "empty", "type": "inet", "path": "$.empty"}]'`;
    await make('odd', '/odd/{k}', columns, 'plain');
    expect(await textRows(client, "select count, at from odd where k = 'good'")).toEqual([['7', '']]);
    for (const column of ['count', 'at', 'empty'])
      expect(await failure(client.query(`select ${column} from odd where k = 'bad'`))).toMatchObject({
        code: 'HV000',
        message: expect.stringContaining(`column ${column} of odd`),
        detail: expect.stringContaining('bad'),
      });
  });

  it('counts in a quota that the configuration declares', async () => {
    await make('counted', '/asn/{k}', `'[{"name": "k", "type": "text", "key": true}]'`, 'few');
    await client.query("select * from counted where k in ('1', '2')");
    const over = await failure(client.query("select * from counted where k in ('1', '3', '4')"));
    expect(over).toMatchObject({ code: '53400', message: expect.stringContaining('1 left in connection few') });
    expect(asked()).toEqual(['/asn/1', '/asn/2']);
    expect(await textRows(client, 'select source, "limit", remaining from trailhound.quota')).toEqual([
      ['http_few', '3', '1'],
    ]);
  });
});

describe('who may', () => {
  it('make one are members of trailhound_admin; read it, the readers', async () => {
    await client.query(
      `create role only_reads login password 'r' in role trailhound_reader; create role nobody login password 'n'`,
    );
    await road.with(
      async (reader) => {
        expect(await textRows(reader, "select class from noise_ip where ip = '203.0.113.9'")).toEqual([['benign']]);
        expect(await failure(make('mine', '/ip/{ip}', NOISE, 'plain', '', reader))).toMatchObject({ code: '42501' });
        expect(await failure(reader.query("select trailhound.drop_lookup('noise_ip')"))).toMatchObject({
          code: '42501',
        });
        for (const name of ['lookup_entry', 'http_host'])
          expect(await failure(reader.query(`select * from trailhound.${name}`))).toMatchObject({ code: '42501' });
      },
      { user: 'only_reads', password: 'r' },
    );
    service.received.length = 0;
    await road.with(
      async (none) => {
        expect(await failure(none.query("select class from noise_ip where ip = '203.0.113.9'"))).toMatchObject({
          code: '42501',
        });
      },
      { user: 'nobody', password: 'n' },
    );
    expect(asked()).toEqual([]);
    await client.query('drop role only_reads, nobody').catch(() => undefined);
  });
});

describe('a definition', () => {
  const KEY = '{"name": "ip", "type": "inet", "key": true}';
  const one = (more: string) => `'[${KEY}, ${more}]'`;
  it.each([
    ['another host', 'https://api.other.example/{ip}', `'[${KEY}]'`, 'plain', '42501'],
    ['a host by http that is not private', 'http://api.example.com/{ip}', `'[${KEY}]'`, 'plain', '42501'],
    ['an allowed host at another port', 'https://api.example.com:8443/{ip}', `'[${KEY}]'`, 'plain', '42501'],
    ['another host of a connection that has one', 'https://api.example.com/{ip}', `'[${KEY}]'`, 'noise', '42501'],
    ['the metadata service', 'http://169.254.169.254/{ip}', `'[${KEY}]'`, 'plain', '42501'],
    ['an IPv4 address in IPv6', 'http://[::ffff:127.0.0.1]/{ip}', `'[${KEY}]'`, 'plain', '42501'],
    ['a host from a key', 'https://{ip}/x', `'[${KEY}]'`, 'plain', '22023'],
    ['a password', 'https://me:secret@api.example.com/{ip}', `'[${KEY}]'`, 'plain', '22023'],
    ['an API key', 'https://api.example.com/{ip}?api_key=12345', `'[${KEY}]'`, 'plain', '22023'],
    ['a fragment', 'https://api.example.com/{ip}#x', `'[${KEY}]'`, 'plain', '22023'],
    ['dot segments', 'https://api.example.com/a/../{ip}', `'[${KEY}]'`, 'plain', '22023'],
    ['a quotation mark in the query', "https://api.example.com/?q='{ip}'", `'[${KEY}]'`, 'plain', '22023'],
    ['line breaks', 'https://api.example.com/\r\nx: y/{ip}', `'[${KEY}]'`, 'plain', '22023'],
    ['a placeholder that is no key', 'https://api.example.com/{ip}/{x}', `'[${KEY}]'`, 'plain', '22023'],
    ['a key without placeholder', 'https://api.example.com/', `'[${KEY}]'`, 'plain', '22023'],
    ['no such connection', 'https://api.example.com/{ip}', `'[${KEY}]'`, 'nothing', '42704'],
    [
      'a default that leads up',
      'https://api.example.com/{a}/{ip}',
      one('{"name": "a", "type": "text", "default": ".."}'),
      'plain',
      '22023',
    ],
    [
      'defaults that lead up together',
      'https://api.example.com/.{a}/{ip}',
      one('{"name": "a", "type": "text", "default": "."}'),
      'plain',
      '22023',
    ],
    [
      'an escape that is none',
      'https://api.example.com/{ip}',
      one('{"name": "a", "type": "text", "path": "$[\\"\\\\q\\"]"}'),
      'plain',
      '22023',
    ],
    [
      'a key that may be NULL',
      'https://api.example.com/{ip}',
      `'[{"name": "ip", "type": "inet", "key": true, "not_null": false}]'`,
      'plain',
      '22023',
    ],
    [
      'a column that SQL reads as something else',
      'https://api.example.com/{ip}',
      one('{"name": "user", "type": "text", "path": "$.user"}'),
      'plain',
      '22023',
    ],
    ['a host in capitals', 'https://API.example.com/{ip}', `'[${KEY}]'`, 'plain', '22023'],
    ['a host in letters of its own', 'https://b\u00fccher.example/{ip}', `'[${KEY}]'`, 'plain', '22023'],
    ['an allowed host with a dot behind', 'https://api.example.com./{ip}', `'[${KEY}]'`, 'plain', '42501'],
    ['an address as one number', 'http://2130706433/{ip}', `'[${KEY}]'`, 'plain', '42501'],
    [
      'a default that is printed otherwise',
      'https://api.example.com/{ip}?a={a}',
      one('{"name": "a", "type": "integer", "default": "030"}'),
      'plain',
      '22023',
    ],
    [
      'another type',
      'https://api.example.com/{ip}',
      one('{"name": "a", "type": "regclass", "path": "$.a"}'),
      'plain',
      '22023',
    ],
    [
      'an empty text for an input',
      'https://api.example.com/{ip}?a={a}',
      one('{"name": "a", "type": "text", "default": ""}'),
      'plain',
      '22023',
    ],
    [
      'SQL in a name',
      'https://api.example.com/{ip}',
      one('{"name": "a int); drop table x; --", "type": "text", "path": "$.a"}'),
      'plain',
      '22023',
    ],
    [
      'a path that is none',
      'https://api.example.com/{ip}',
      one('{"name": "a", "type": "text", "path": "$..a[*]"}'),
      'plain',
      '22023',
    ],
    [
      'an unknown member',
      'https://api.example.com/{ip}',
      one('{"name": "a", "type": "text", "paht": "$.a"}'),
      'plain',
      '22023',
    ],
    [
      'two columns of a name',
      'https://api.example.com/{ip}',
      one('{"name": "ip", "type": "text", "path": "$.a"}'),
      'plain',
      '22023',
    ],
    [
      'a reserved name',
      'https://api.example.com/{record}',
      `'[{"name": "record", "type": "text", "key": true}]'`,
      'plain',
      '22023',
    ],
    ['no list', 'https://api.example.com/{ip}', `'{}'`, 'plain', '22023'],
    [
      'numbers in the place of texts',
      'https://api.example.com/{ip}',
      one('{"name": 7, "type": "text", "path": "$.a"}'),
      'plain',
      '22023',
    ],
  ])('with %s is refused', async (_what, url, columns, connection, code) => {
    expect(await failure(make('refused', url.replaceAll("'", "''"), columns, connection))).toMatchObject({ code });
  });

  it('whose name is taken, or none, is refused', async () => {
    for (const name of ['noise_ip', 'guardduty_finding', 'seen', 'aws_guardduty_finding', 'pg_class', 'user'])
      expect(['42P07', '22023']).toContain((await failure(make(name, '/ip/{ip}', NOISE, 'plain'))).code);
    expect(await failure(make('Two words', '/ip/{ip}', NOISE, 'plain'))).toMatchObject({ code: '22023' });
  });

  it('is there for other sessions when it is committed, and gone when it is dropped', async () => {
    const text = "select count(*) from later where k = '1'";
    await client.query('begin');
    await make('later', '/asn/{k}', `'[{"name": "k", "type": "text", "key": true}]'`, 'plain');
    expect(await failure(oracle.query(text))).toMatchObject({ code: '42P01' });
    await client.query('commit');
    expect(await textRows(oracle, text)).toEqual([['1']]);
    await client.query(
      "create view workspace.on_later as select * from later; prepare known as select count(*) from later where k = '1'",
    );
    expect(await failure(client.query("select trailhound.drop_lookup('later')"))).toMatchObject({ code: '2BP01' });
    expect(await textRows(client, "select count(*) from on_later where k = '1'")).toEqual([['1']]);
    await client.query("drop view workspace.on_later; select trailhound.drop_lookup('later')");
    expect(await failure(oracle.query(text))).toMatchObject({ code: '42P01' });
    // Another one of its name is asked anew.
    await make(
      'later',
      '/user/{k}',
      `'[{"name": "k", "type": "text", "key": true}]'`,
      'plain',
      ", rows_at => '$.data.items'",
    );
    expect(await textRows(oracle, text)).toEqual([['0']]);
    expect(await failure(client.query("select trailhound.drop_lookup('nothing')"))).toMatchObject({ code: '42P01' });
  });

  it('is made by a function that names neither, and found by who asks the moment after', async () => {
    await client.query(
      `create function workspace.make_one(sql text) returns void language plpgsql as $$ begin execute sql; end $$`,
    );
    const sql = `select trailhound.create'||'_lookup(''quick'', ''http://${service.host}/asn/{k}'', ''[{"name": "k", "type": "text", "key": true}]'', ''plain'')`;
    await client.query(`select workspace.make_one('${sql}')`);
    await expect
      .poll(() =>
        textRows(client, "select k from quick join people p on quick.k = p.name where p.name = 'eve'").catch(String),
      )
      .toEqual([['eve']]);
  });

  it('of the documentation makes a table of the format that it says', async () => {
    // Each has a name of its own, which is that of no other test's.
    await client.query('select trailhound.drop_lookup($1)', ['tor_exit']);
    const texts = documented('docs/create-lookup.md');
    expect(texts).toHaveLength(2);
    for (const text of texts) await client.query(text);
    const addresses =
      "select ip, noise, riot, classification, last_seen::date from greynoise_ip where ip in ('33.44.55.66', '33.44.55.67', '10.0.0.1')";
    expect(await textRows(client, addresses)).toEqual([['33.44.55.66', 'f', 't', 'benign', '2026-01-01']]);
    expect(await textRows(client, 'select ip from tor_exit order by ip')).toEqual([['198.51.100.7'], ['203.0.113.77']]);
    expect(asked()).toEqual(['/torbulkexitlist', '/v3/community/33.44.55.66', '/v3/community/33.44.55.67']);
  });

  it('of a well-known service makes a table of the format that the service documents', async () => {
    const texts = documented('docs/lookup-services.md');
    expect(texts).toHaveLength(Object.keys(SERVICES).length);
    for (const text of texts) await client.query(text);
    const rows = async (text: string) => (await textRows(client, text)).flat();
    expect(
      await rows(
        `select malicious, as_owner, asn, country, tags, to_timestamp(last_analysis_date) from virustotal_ip where ip = '33.44.55.66'`,
      ),
    ).toEqual(['3', 'Example', '64500', 'NL', '{tor,vpn}', '2026-01-01 00:00:00+00']);
    expect(
      await rows(`select org, os, ports, hostnames, vulns, last_update from shodan_host where ip = '33.44.55.66'`),
    ).toEqual(['Example', '', '{22,443}', '{a.example}', '{CVE-2026-0001}', '2026-01-22 08:49:35.190817+00']);
    expect(await rows(`select hostname, org, loc, city from ipinfo_ip where ip = '33.44.55.66'`)).toEqual([
      'a.example',
      'AS64500 Example',
      '52.37,4.89',
      '',
    ]);
    expect(
      await rows(
        `select o.pulse_count, p ->> 'name' from (values (inet '33.44.55.66'), ('2600::1')) v(ip)
           join otx_ipv4 o on o.ip = v.ip and family(v.ip) = 4, jsonb_array_elements(o.pulses) p`,
      ),
    ).toEqual(['1', 'Scanners']);
    const scans = "select page_ip, scanned_at, url from urlscan_domain where domain = 'a.example'";
    expect(await rows(`${scans} and size = 1000`)).toEqual(['', '2026-01-01 00:00:00+00', 'https://a.example/']);
    expect(await failure(client.query(scans))).toMatchObject({
      code: 'HV000',
      message: expect.stringContaining('more than it holds'),
    });
    expect(asked()).toEqual(
      [
        '/api/v3/ip_addresses/33.44.55.66',
        '/shodan/host/33.44.55.66?minify=true',
        '/33.44.55.66/json',
        '/api/v1/indicators/IPv4/33.44.55.66/general',
        '/api/v1/search/?q=page.domain:%22a.example%22&size=1000',
        '/api/v1/search/?q=page.domain:%22a.example%22&size=100',
      ].sort(),
    );
  });

  it('survives a restart', async () => {
    const comments = `select col_description('public.noise_ip'::regclass, 3)`;
    expect(await textRows(client, comments)).toEqual([['What it is taken for']]);
    await road.restart();
    client = await road.connect();
    expect(await textRows(client, "select class from noise_ip where ip = '203.0.113.9'")).toEqual([['benign']]);
    expect(await textRows(client, comments)).toEqual([['What it is taken for']]);
    expect(await textRows(client, 'select source, remaining from trailhound.quota')).toEqual([['http_few', '1']]);
  });
});
