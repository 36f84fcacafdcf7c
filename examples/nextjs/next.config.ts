import type { NextConfig } from 'next';

const config: NextConfig = {
  // This folder is the root of the app, also where a folder above it has a lock file.
  turbopack: { root: import.meta.dirname },
};

export default config;
