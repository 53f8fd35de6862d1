import type { Client } from 'pg';
import { Client as DirectClient } from 'pg';
import { startForeignServer } from '../../test/engine/support/foreign-server.ts';
import { removeTemporaryDirectories } from '../../test/engine/support/temporary-directory.ts';
import { median, timed, type Figure, type Scenario } from '../figure.ts';
import { withServer } from '../server-process.ts';

const ROUNDS = 10;
const STATEMENTS_A_ROUND = 30;

/** 2 kB, of the shapes that hunts have: CTEs, a join by key, a semi-join, an aggregate, conditions that are pushed. */
const STATEMENT = `
with suspicious as (
  select e.event_time, e.event_name, e.event_source, e.username, e.user_type, e.source_ip_address, e.source_ip, e.error_code,
         e.aws_region, e.user_agent, e.request_parameters ->> 'userName' as created, e.recipient_account_id
    from cloudtrail_trail_event e
   where e.event_source = 'iam.amazonaws.com'
     and e.event_name in ('CreateUser', 'CreateAccessKey', 'AttachUserPolicy', 'PutUserPolicy', 'CreateLoginProfile')
     and e.event_time > timestamptz '2026-11-01 00:00:00+00' and e.event_time <= timestamptz '2026-11-08 00:00:00+00'
     and e.error_code is null
     and e.user_agent not like 'aws-internal/%'
), reputation as (
  select s.username, s.source_ip, s.event_name, s.created, a.abuse_confidence_score, a.country_code, a.is_tor, a.total_reports,
         case when a.abuse_confidence_score >= 75 then 'high' when a.abuse_confidence_score >= 25 then 'medium' else 'low' end as risk
    from suspicious s
    join abuseipdb_check_ip a on a.ip_address = s.source_ip_address
   where a.abuse_confidence_score >= 25 or a.is_tor
), findings as (
  select f.id, f.title, f.severity, f.severity_label, f.remote_ip, f.user_name, f.updated_at
    from guardduty_finding f
   where f.severity >= 4 and not f.archived and f.type like 'UnauthorizedAccess:IAMUser/%'
)
select r.username, r.event_name, r.created, r.risk, r.country_code, host(r.source_ip) as address,
       count(*) as times, max(r.abuse_confidence_score) as score, bool_or(r.is_tor) as tor, sum(r.total_reports) as reports,
       (select max(f.severity) from findings f where f.remote_ip = r.source_ip or f.user_name = r.username) as worst,
       string_agg(distinct r.created, ', ' order by r.created) filter (where r.created is not null) as users_made
  from reputation r
 where exists (select from suspicious s where s.username = r.username and s.event_name = 'CreateAccessKey')
    or r.username in (select f.user_name from findings f where f.severity_label in ('HIGH', 'CRITICAL'))
 group by r.username, r.event_name, r.created, r.risk, r.country_code, r.source_ip
having count(*) > 1
 order by score desc nulls last, times desc, r.username
 limit 50`;

const TABLES = ['cloudtrail_trail_event', 'guardduty_finding', 'abuseipdb_check_ip'];

/** What reading, planning and replacing add to a statement: over tables without rows, and directly over plain ones. */
export const plan: Scenario = {
  name: 'plan',
  run: async () => {
    const engine = await startForeignServer({ maxConnections: 300 });
    try {
      const engineUrl = `postgres://postgres:${encodeURIComponent(engine.password)}@127.0.0.1:${engine.port}/postgres`;
      return await withServer({ engineUrl }, async (server) => {
        const through = await server.connect();
        const direct = new DirectClient({
          host: '127.0.0.1',
          port: engine.port,
          user: 'trailhound',
          password: server.password,
          database: through.database!,
        });
        await direct.connect();
        try {
          // No source is asked, and nothing is told of that.
          await through.query('set trailhound.sources = off; set client_min_messages = warning');
          for (const name of TABLES) await direct.query(`create temp table ${name} (like public.${name})`);
          let count = 0;
          const again = await compare(through, direct, () => STATEMENT);
          const anew = await compare(through, direct, () => `${STATEMENT} -- ${(count += 1)}`);
          return [figure('plan: 2 kB, known', again), figure('plan: 2 kB, new', anew)];
        } finally {
          await Promise.all([through.end(), direct.end()]);
        }
      });
    } finally {
      await engine.stop();
      await removeTemporaryDirectories();
    }
  },
};

interface Times {
  readonly through: number;
  readonly direct: number;
}

async function compare(through: Client, direct: Client, text: () => string): Promise<Times> {
  const times = { through: [] as number[], direct: [] as number[] };
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (let n = 0; n < STATEMENTS_A_ROUND; n += 1) {
      const own = text();
      const [ours, theirs] = [await timed(() => through.query(own)), await timed(() => direct.query(own))];
      // The first round warms up.
      if (round === 0) continue;
      times.through.push(ours);
      times.direct.push(theirs);
    }
  }
  return { through: median(times.through), direct: median(times.direct) };
}

function figure(name: string, { through, direct }: Times): Figure {
  return {
    name,
    measured: `${through.toFixed(1)} ms`,
    baseline: `${direct.toFixed(1)} ms directly`,
    result: `${(through / direct).toFixed(1)} x, +${(through - direct).toFixed(1)} ms`,
  };
}
