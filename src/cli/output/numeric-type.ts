/** int8, int2, int4, oid, float4, float8, numeric: pg_type.dat. */
const NUMERIC = new Set([20, 21, 23, 26, 700, 701, 1700]);

export function isNumeric(typeOid: number | undefined): boolean {
  return typeOid !== undefined && NUMERIC.has(typeOid);
}
