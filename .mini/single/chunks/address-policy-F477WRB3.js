import {
  addressPolicy,
  isLoopback
} from "./chunk-FVP2FVGK.js";
import "./chunk-RFYV5G4X.js";
export {
  addressPolicy,
  isLoopback
};
