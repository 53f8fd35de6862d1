import type { Connection } from '../app/config/schema.ts';
import type { Config } from '../app/config/load.ts';
import { OWNER, pgpassFile } from '../app/password.ts';
import type { Endpoint } from '../app/server.ts';
import { printable } from './output/printable.ts';
import { isTerminal, writeOut } from './terminal.ts';

/** Its first line is for programs and always there; what follows is for a person at a terminal. */
export async function printBanner(
  config: Config,
  endpoint: Endpoint,
  command: readonly [name: string, text: string][],
): Promise<void> {
  const address = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  await writeOut(`ready: postgres://${OWNER}@${address}:${endpoint.port}/${endpoint.database}\n`);
  if (!isTerminal.stdout()) return;
  const lines: (readonly [string, string])[] = [
    ['shell', `npx trailhound query${dataDirOption(config)}`],
    ['psql', psqlCommand(config, endpoint)],
    ...Object.entries(config.connections).map(
      ([name, connection]) => [name, describe(name, connection, config)] as const,
    ),
    ...command,
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  await writeOut(`\n${lines.map(([name, text]) => `  ${name.padEnd(width)}  ${text}\n`).join('')}\n`);
}

export function psqlCommand(config: Config, { host, port, database }: Endpoint): string {
  return `PGPASSFILE=${shellWord(pgpassFile(config.dataDir))} psql -h ${host} -p ${port} -U ${OWNER} ${database}`;
}

/** What a call has to find out, below the banner as it becomes known; being ready has not waited for it. */
export function printConnections(endpoint: Endpoint): void {
  if (!isTerminal.stdout()) return;
  endpoint.describeConnections((name, text) => {
    void writeOut(`  ${name}  ${printable(text)}\n`).catch(() => undefined);
  });
}

/** What is known without a call. */
function describe(name: string, connection: Connection, config: Config): string {
  switch (connection.kind) {
    case 'aws': {
      const identity =
        connection.roleArn ??
        (connection.profile === undefined ? 'credentials of the default chain' : `profile ${connection.profile}`);
      const regions = connection.regions?.join(', ') ?? 'every enabled region';
      const groups = connection.logGroups?.join(', ') ?? 'those that trails deliver to';
      return `${identity}, ${regions}; log groups: ${groups}`;
    }
    case 'abuseipdb':
      return connection.apiKey === undefined
        ? `no key: set ABUSEIPDB_API_KEY, or connections.${name}.api_key in ${config.file}`
        : connection.url;
    case 'files':
      return 'kind files is not served yet';
    case 'http':
      return `for tables made by SQL; host: ${connection.host ?? 'those of http.allow'}`;
  }
}

/** Needed by later commands only where it was an option of this one. */
export function dataDirOption(config: Config): string {
  return config.origin(['data_dir']) === '--data-dir' ? ` --data-dir ${shellWord(config.dataDir)}` : '';
}

function shellWord(text: string): string {
  return /^[\w./~@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
