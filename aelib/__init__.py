"""aelib: every kind of autoencoder, with one protocol and one loss convention.

Models are built by name with :func:`aelib.models.build <aelib.models.factories.build>` or composed from an encoder, a decoder
and a likelihood, and trained with :func:`aelib.training.fit`. Losses are in nats, summed over an example and averaged over the
batch.
"""
