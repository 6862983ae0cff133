import { ncloudRegion } from '../../../src/connectors/ncloud/region.js';

test.each([
  ['https://subaccount.apigw.ntruss.com/api/v1', 'public'],
  ['https://subaccount.apigw.gov-ntruss.com/api/v2', 'gov'],
  ['https://subaccount.apigw.fin-ntruss.com/api/v1', 'fin'],
  ['https://gateway.example.com/', null],
  ['https://notntruss.com/', null],
  ['https://ntruss.com.example.com/', null],
])('NAVER Cloud at %s is in the zone %s', (endpoint, zone) => {
  expect(ncloudRegion(endpoint)).toBe(zone);
});
