"""The exceptions that rclpy raises, of those that the stand-in can raise."""

from typing import Any


class NotInitializedException(Exception):
    """rclpy.init() was not called, or the context is shut down."""

    def __init__(self, *args: Any) -> None:
        super().__init__('rclpy.init() has not been called', *args)


class NameValidationException(Exception):
    """A name that ROS does not allow."""


class InvalidNodeNameException(NameValidationException):
    """Of a node."""


class InvalidNamespaceException(NameValidationException):
    """Of a namespace."""


class InvalidTopicNameException(NameValidationException):
    """Of a topic."""


class InvalidServiceNameException(NameValidationException):
    """Of a service."""


class ParameterException(Exception):
    """Base of what is wrong with parameters."""


class ParameterNotDeclaredException(ParameterException):
    """Read or set before it was declared."""


class ParameterAlreadyDeclaredException(ParameterException):
    """Declared twice."""


class InvalidParameterTypeException(ParameterException):
    """An override of another type than the default."""


class InvalidParameterValueException(ParameterException):
    """An override out of range, or refused by a callback."""


class ParameterImmutableException(ParameterException):
    """Undeclaring what is read-only."""


class ParameterUninitializedException(ParameterException):
    """Declared by type only, and nobody gave a value."""
