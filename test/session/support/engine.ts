import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../../src/engine/engine.ts';
import { openEngine } from '../../../src/engine/open.ts';

export const DATABASE = 'session_test';
export const USER = 'hunter';
export const PASSWORD = 'correct horse';

export interface TestEngine {
  readonly engine: Engine;
  readonly close: () => Promise<void>;
}

/**
 * An engine in a directory of its own: roles, the function that raises errors, `virtual_demo`, and `ordinary_one`, a table
 * that holds what the fake pipeline makes up for it. Their names are equally long, so that positions are the same.
 */
export async function openTestEngine(maxClients = 40): Promise<TestEngine> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trailhound-session-'));
  // The engine's user is not root: it has to pass through.
  await chmod(dataDir, 0o755);
  const remove = () => rm(dataDir, { recursive: true, force: true });
  const engine = await openEngine({ dataDir, database: DATABASE, maxClients, poolSize: 4 }).catch(
    async (error: unknown) => {
      await remove();
      throw error;
    },
  );
  const close = async () => {
    await engine.close();
    await remove();
  };
  try {
    await engine.pool.query(SETUP);
  } catch (error) {
    await close();
    throw error;
  }
  return { engine, close };
}

const SETUP = `
  create role ${USER} login password '${PASSWORD}';
  create role admin superuser login password '${PASSWORD}';
  create role resting nologin password '${PASSWORD}';
  create role expired login password '${PASSWORD}' valid until '2020-01-01';
  grant create on schema public to ${USER};
  create schema if not exists trailhound;
  grant usage on schema trailhound to public;
  create or replace function trailhound.raise(sqlstate text, message text, detail text, hint text) returns void
    language plpgsql as $$
    begin
      raise exception using errcode = sqlstate, message = message,
        detail = coalesce(detail, ''), hint = coalesce(hint, '');
    end $$;
  create view public.virtual_demo as select x from unnest(array[]::int[]) as _(x);
  create table public.ordinary_one (x int);
  insert into public.ordinary_one values (1), (2), (3);
  grant select on public.virtual_demo, public.ordinary_one to public;
`;
