/** The version in `package.json`; a unit test keeps the two equal. Written into every provenance. */
export const APP_VERSION = '0.1.0';
