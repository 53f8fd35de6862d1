import { atMost, mebibytes, type Figure, type Scenario } from '../figure.ts';
import { sampleMemory, type MemorySamples } from '../processes.ts';
import { withServer, type ServerProcess } from '../server-process.ts';
import { withSimulator } from '../simulated.ts';

const FEW = 100_000;
const MANY = 1_000_000;
const LIMIT_MIB = 250;
/** Flat: ten times the events need no more than this. */
const FLAT = 1.2;

const SELECT = 'select event_time, event_name, user_arn, source_ip_address, aws_region from cloudtrail_trail_event';

async function aggregated(server: ServerProcess, events: number): Promise<void> {
  const client = await server.connect();
  try {
    const { rows } = await client.query(`select count(*)::int as n, count(distinct event_name) from (${SELECT}) as e`);
    if (rows[0].n !== events) throw new Error(`${rows[0].n} events were counted, not ${events}`);
  } finally {
    await client.end();
  }
}

/** Every row goes through to a client that keeps none. */
async function streamed(server: ServerProcess, events: number): Promise<void> {
  const client = await server.connect();
  try {
    await client.query('begin');
    await client.query(`declare c no scroll cursor for ${SELECT}`);
    let rows = 0;
    for (;;) {
      const { rowCount } = await client.query({ text: 'fetch 10000 from c', rowMode: 'array' });
      if (rowCount === 0) break;
      rows += rowCount!;
    }
    if (rows !== events) throw new Error(`${rows} events were fetched, not ${events}`);
    await client.query('commit');
  } finally {
    await client.end();
  }
}

/** Of a server that does nothing else before. */
function measure(events: number, work: typeof aggregated): Promise<MemorySamples> {
  return withSimulator(events, (simulator) =>
    withServer({ url: simulator.url }, (server) => sampleMemory(server.pid, work(server, events))),
  );
}

/** The server's own process while it scans; the engine's processes are given apart. */
export const memory: Scenario = {
  name: 'memory',
  run: async () => {
    const figures: Figure[] = [];
    for (const work of [aggregated, streamed]) {
      const few = await measure(FEW, work);
      const many = await measure(MANY, work);
      const peak = Math.max(...many.own);
      const flatness = peak / Math.max(...few.own);
      figures.push(
        {
          name: `memory: ${MANY} events ${work.name}`,
          measured: `${mebibytes(peak)} peak, ${mebibytes(many.own[0]!)} before`,
          baseline: `engine ${mebibytes(Math.max(...many.descendants))} peak`,
          result: mebibytes(peak),
          bound: atMost(peak / 2 ** 20, LIMIT_MIB, ' MiB'),
        },
        {
          name: `memory: flat, ${work.name}`,
          measured: `${mebibytes(peak)} with ${MANY} events`,
          baseline: `${mebibytes(Math.max(...few.own))} with ${FEW}`,
          result: flatness.toFixed(2),
          bound: atMost(flatness, FLAT),
        },
      );
    }
    return figures;
  },
};
