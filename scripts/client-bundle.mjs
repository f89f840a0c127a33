// The client of rooms for a script tag, snowmesh-client.min.js: how it is bundled.

/** Options for esbuild. The script defines `snowmesh.connectRooms`. */
export const CLIENT_BUNDLE = {
  bundle: true,
  minify: true,
  format: 'iife',
  globalName: 'snowmesh',
  target: 'es2022',
  platform: 'browser',
  logLevel: 'error',
};
