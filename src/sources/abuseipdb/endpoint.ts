/** https://docs.abuseipdb.com: those that are read from. Each has a daily quota of its own. */
export type Endpoint = 'check' | 'check-block' | 'blacklist' | 'reports';
