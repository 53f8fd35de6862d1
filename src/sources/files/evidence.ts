/** What CloudTrail, CloudWatch Logs' export to S3 and people who keep evidence name their files. */
const NAMES = /\.(?:json|jsonl|ndjson|gz|zst)$/i;

/** By the end of its name. */
export function isEvidence(path: string): boolean {
  return NAMES.test(path);
}

export function isCompressed(path: string): boolean {
  return /\.(?:gz|zst)$/i.test(path);
}
