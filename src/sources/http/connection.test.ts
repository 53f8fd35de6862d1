import { expect, it } from 'vitest';
import { mayCall, mayLeadTo } from './connection.ts';

const hosts = { allow: ['api.example.com', 'api.example.com:8443'], allowPrivate: ['10.0.0.1:8080'] };

it.each([
  ['https://api.example.com/', true],
  ['https://api.example.com:443/', true],
  ['https://api.example.com:8443/', true],
  ['https://api.example.com:8444/', false],
  ['http://api.example.com/', false],
  ['https://api.example.com./', false],
  ['https://sub.api.example.com/', false],
  ['https://me@api.example.com/', false],
  ['http://10.0.0.1:8080/', true],
  ['http://10.0.0.1/', false],
  ['ftp://10.0.0.1:8080/', false],
])('whether %s may be called: %s', (url, may) => {
  expect(mayCall(hosts, new URL(url))).toBe(may);
});

it('an answer of the internet leads into no private network', () => {
  const [outside, inside] = [new URL('https://api.example.com/'), new URL('http://10.0.0.1:8080/')];
  expect(mayLeadTo(hosts, outside, inside)).toBe(false);
  expect([mayLeadTo(hosts, inside, inside), mayLeadTo(hosts, inside, outside)]).toEqual([true, true]);
});
