"""One node's picture: predict, gate, associate, update, births, track life."""
