// A process that holds an engine until it is killed: `node --import tsx engine-process.ts <data directory>`.
import { openEngine } from '../../../src/engine/open.ts';

const [, , dataDir = ''] = process.argv;
await openEngine({ dataDir, database: 'trailhound', maxClients: 5, poolSize: 2 });
process.stdout.write('open\n');
