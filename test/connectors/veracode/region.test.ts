import { veracodeRegion } from '../../../src/connectors/veracode/region.js';

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
