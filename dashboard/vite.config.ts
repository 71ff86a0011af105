import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { operationsIn, readDocuments } from './build/documents.ts';

/**
 * Puts beside each text of the page the same, as small as it can be made: the service keeps these, and compresses nothing. And
 * the documents that this page sends, so that the gateway that serves it knows them.
 */
function forTheService(): Plugin {
  return {
    name: 'for-the-service',
    enforce: 'post',
    generateBundle(_options, bundle) {
      for (const [fileName, output] of Object.entries(bundle)) {
        const bytes = Buffer.from(output.type === 'chunk' ? output.code : output.source);
        const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
        this.emitFile({ type: 'asset', fileName: `${fileName}.br`, source: brotliCompressSync(bytes, { params }) });
        this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: gzipSync(bytes, { level: 9 }) });
      }
      const documents = Object.fromEntries(operationsIn(readDocuments()).map(({ id, text }) => [id, text]));
      this.emitFile({ type: 'asset', fileName: 'documents.json', source: JSON.stringify(documents) });
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // Everything is a file of its own: what stands in the page itself would need exceptions in its policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  plugins: [forTheService()],
});
