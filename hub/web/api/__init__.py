"""The interface for other systems: ``/api/v1``, its OpenAPI document, and what monitors and harvesters ask for."""
