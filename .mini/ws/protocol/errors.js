import{FleetError,errorCodes}from"../chunks/chunk-MXWVXB2F.js";import"../chunks/chunk-HEYKX3CZ.js";export{FleetError,errorCodes};
