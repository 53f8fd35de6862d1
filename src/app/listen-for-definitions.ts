import { Listener } from '../engine/listener.ts';
import type { Pool } from '../engine/pool.ts';
import type { DefinitionNews } from '../query/definition-news.ts';
import type { LookupTables } from './lookup-tables.ts';

/** What schema/48-definitions.sql and schema/70-lookup.sql notify. Any role may, and makes us look in vain. */
const CHANNEL = 'trailhound_definition';

/** Hears what statements have made, in whichever process, as it is committed. */
export function listenForDefinitions(pool: Pool, lookups: LookupTables, news: DefinitionNews): Listener {
  return new Listener({
    pool,
    channel: CHANNEL,
    heard: (what) => {
      if (what !== 'lookup') news.tell('definition');
      // Statements are planned with it from then on.
      if (what !== 'definition') void lookups.refresh().then(() => news.tell('lookup'));
    },
  });
}
