import{addressPolicy,isLoopback}from"./chunk-27KT6ULC.js";import"./chunk-HEYKX3CZ.js";export{addressPolicy,isLoopback};
