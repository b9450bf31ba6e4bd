"""READ what boots: entries, images and backup candidates of one installed system."""
