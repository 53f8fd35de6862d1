import { main } from '../../../src/cli/main.ts';

// As bin/trailhound.js, over the sources in place of what was built from them.
process.exitCode = await main(process.argv.slice(2));
