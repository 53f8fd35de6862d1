import type { Command } from 'commander';
import type { CommonOptions } from '../app/config/layers.ts';
import type { Config } from '../app/config/load.ts';
import { OWNER } from '../app/password.ts';
import type { Endpoint } from '../app/server.ts';
import { findHunt, loadHunts } from '../hunts/hunt-library.ts';
import { printBanner } from './banner.ts';
import { Exit, STATUS } from './exit-status.ts';
import { runHunts } from './hunt.ts';
import { commandWithoutFile } from './options.ts';
import { ProgressLine } from './progress-line.ts';
import { say } from './terminal.ts';
import { runUntilSignal } from './until-signal.ts';

export function demoCommand(): Command {
  return commandWithoutFile('demo', 'a simulated account with a made-up intrusion: runs hunts over it')
    .option('--once', 'end after the hunts, in place of staying up for psql')
    .action(async (options: CommonOptions & { readonly once?: boolean }) => {
      const { buildDemo } = await import('../app/demo.ts');
      const { config, server, closeSimulator } = await buildDemo(options, options.once === true ? 'once' : 'serving');
      try {
        const endpoint = await server.start();
        try {
          const failed = await showHunts(config, endpoint);
          if (options.once === true) {
            if (failed) throw new Exit(STATUS.failed);
            return;
          }
          await printBanner(config, endpoint, []);
          await runUntilSignal(server);
        } finally {
          await server.stop('gracefully');
        }
      } finally {
        await closeSimulator();
      }
    });
}

/** The intrusion's story: who came from where, what GuardDuty saw, and what the leaked key did. */
const STORY = [
  'cloudtrail/console-sign-ins',
  'cloudtrail/create-user-by-abusers',
  'guardduty/finding-reputation',
  'investigate/key',
];

/** What GuardDuty and the sign-ins lead to: the key that the story's last hunt follows. */
const LEAKED = { access_key_id: 'AKIAIOSFODNN7EXAMPLE' };

/** Columns that take a line of their own: links, ids and JSON. */
const WIDE = ['event_id', 'console_url', 'detail'];

async function showHunts(config: Config, endpoint: Endpoint): Promise<boolean> {
  const { connectSql } = await import('../hunts/sql-client.ts');
  const progress = new ProgressLine();
  const client = await connectSql({ ...endpoint, user: OWNER, timezone: config.timezone }, (notice) =>
    progress.notice(notice),
  );
  try {
    if (progress.enabled) await client.rows('set trailhound.progress to on');
    const session = { client, progress, interrupted: () => false };
    const hunts = loadHunts([]);
    const story = STORY.map((id) => findHunt(hunts, id));
    const results = await runHunts(session, story, { parameters: LEAKED, output: 'table', config, omit: WIDE });
    say(
      `\nLeft out here: ${WIDE.join(', ')}, and ${hunts.length - story.length} more hunts: "trailhound hunt list" names them, ` +
        '"trailhound hunt show NAME" prints one, docs/add-a-hunt.md tells how to add one.',
    );
    return results.some((result) => result.failed);
  } finally {
    progress.end();
    await client.close();
  }
}
