/** NAVER Cloud's zone, by its host; null where that is none of the vendor's. */
export function ncloudRegion(endpoint: string): string | null {
  const match = /(?:^|\.)(?:(gov|fin)-)?ntruss\.com$/.exec(new URL(endpoint).hostname);
  return match && (match[1] ?? 'public');
}
