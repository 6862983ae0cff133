import { ncloudRegion } from '../../../src/stores/connections/ncloud.js';
import { veracodeRegion } from '../../../src/stores/connections/veracode.js';

const bare = 'ab'.repeat(16);

test.each([
  ['https://api.veracode.com/', bare, 'global'],
  ['https://api.veracode.eu/', bare, 'eu'],
  ['https://api.veracode.us/', bare, 'fedramp'],
  ['https://API.VERACODE.EU/api/authn/v2', `vera01gi-${bare}`, 'eu'],
  ['https://gateway.example.com/', `vera01gi-${bare}`, 'global'],
  ['https://gateway.example.com/', `vera01ei-${bare}`, 'eu'],
  ['https://gateway.example.com/', `VERA01FI-${bare}`, 'fedramp'],
  ['https://gateway.example.com/', bare, null],
  ['https://gateway.example.com/', `vera01xi-${bare}`, null],
  ['https://notveracode.eu/', bare, null],
  ['https://veracode.eu.example.com/', bare, null],
])('Veracode at %s with the API id %s is in the region %s', (endpoint, apiId, region) => {
  expect(veracodeRegion(endpoint, apiId)).toBe(region);
});

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
