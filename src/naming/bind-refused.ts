/** A binding that whoever asked for it may not have; everything else that goes wrong with one is a failure. */
export class BindRefused extends Error {
  override readonly name = 'BindRefused';
}
