// The vendors of the bench, in a process of their own: their work is nobody's memory or time but their own.
import { startApinizer } from '../dist/test/upstreams/apinizer.js';
import { startSeqera } from '../dist/test/upstreams/seqera.js';

const { TOKEN: token, KIND, COUNT } = process.env;
if (KIND === 'apinizer') {
  const vendor = await startApinizer({ token });
  vendor.seed(Number(COUNT));
  console.log(vendor.url);
} else {
  const vendor = await startSeqera({ token });
  vendor.seed(Number(COUNT), (index) => ({ description: `number ${index}`, workspaceId: '4242' }));
  console.log(vendor.url);
}
