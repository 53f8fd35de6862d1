import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadConfig } from './config/load.ts';
import { tlsFor } from './tls.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'trailhound-tls-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const config = (environment: Record<string, string>) =>
  loadConfig({ directory, environment: { TRAILHOUND_DATA_DIR: directory, ...environment } });

it('offers none on loopback, and none anywhere where it is off', async () => {
  expect(await tlsFor(config({}))).toBeUndefined();
  expect(await tlsFor(config({ TRAILHOUND_HOST: 'localhost' }))).toBeUndefined();
  expect(await tlsFor(config({ TRAILHOUND_HOST: '0.0.0.0', TRAILHOUND_TLS: 'off' }))).toBeUndefined();
});

it('requires it beyond loopback, with a certificate that is made once and kept private', async () => {
  const first = await tlsFor(config({ TRAILHOUND_HOST: '0.0.0.0' }));
  expect(first).toMatchObject({ required: true });
  expect((await stat(path.join(directory, 'tls.pem'))).mode & 0o777).toBe(0o600);
  const again = await tlsFor(config({ TRAILHOUND_HOST: '::' }));
  expect(again?.cert).toContain(first?.cert.trim());
});

it('says which file of a configured certificate is wrong', async () => {
  await writeFile(path.join(directory, 'trailhound.yaml'), 'listen:\n  tls: { cert: c.pem, key: k.pem }\n');
  await expect(tlsFor(config({}))).rejects.toThrow(/trailhound\.yaml:2:10: listen\.tls\.cert: cannot read .*c\.pem$/);
  await writeFile(path.join(directory, 'c.pem'), 'x');
  await writeFile(path.join(directory, 'k.pem'), 'x');
  await expect(tlsFor(config({}))).rejects.toThrow(/listen\.tls: certificate and key cannot be used$/);
});

it('offers a configured certificate on loopback too, without requiring it', async () => {
  const own = await tlsFor(config({ TRAILHOUND_HOST: '0.0.0.0' }));
  await writeFile(path.join(directory, 'c.pem'), own?.cert ?? '');
  await writeFile(path.join(directory, 'k.pem'), own?.key ?? '');
  await writeFile(path.join(directory, 'trailhound.yaml'), 'listen:\n  tls: { cert: c.pem, key: k.pem }\n');
  expect(await tlsFor(config({}))).toMatchObject({ required: false, cert: own?.cert });
});
