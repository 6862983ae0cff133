// The vendors whose stores can be connected, one line each.
export { apinizer } from './apinizer/apinizer.js';
export { landscape } from './landscape/landscape.js';
export { ncloud } from './ncloud/ncloud.js';
export { seqera } from './seqera/seqera.js';
export { veracode } from './veracode/veracode.js';
