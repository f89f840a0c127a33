// How snowmesh-client.min.js, the client of rooms for a script tag, is bundled.

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
