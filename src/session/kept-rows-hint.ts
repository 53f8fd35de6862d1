import type { ResponseFields } from '../wire/backend/response-fields.ts';
import { mapResponses } from './filters.ts';

/** dependent_objects_still_exist of PostgreSQL's errcodes.txt. */
const DEPENDENT_OBJECTS = '2BP01';
/** Where relations with rows of scans stand, with a grant to the role that they were read for. */
const ROWS = 'trailhound_rows.';

const HINT =
  "Rows of scans are kept for it: select trailhound.forget_rows_of('its name') as role trailhound forgets them. What else the detail names is yours to drop or to reassign.";

/** Of scripts with data nobody wants to wait for another look. */
const LONGEST = 100_000;

const FILTER = mapResponses(withHint);

/** Of a text that may drop a role: PostgreSQL's refusal names relations that its user has never seen. */
export function keptRowsHint(text: string): { readonly filter: typeof FILTER } | undefined {
  return text.length < LONGEST && text.toLowerCase().includes('drop') ? { filter: FILTER } : undefined;
}

function withHint(fields: ResponseFields): ResponseFields {
  const concerns = fields.get('C') === DEPENDENT_OBJECTS && fields.get('D')?.includes(ROWS) === true;
  return concerns && !fields.has('H') ? new Map([...fields, ['H', HINT]]) : fields;
}
