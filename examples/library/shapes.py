"""Areas, volumes and lengths of plain shapes."""

import math

PURE = True


def circle_circumference(radius: float) -> float:
    """Compute the circumference of a circle.

    Args:
        radius: The radius of the circle.
    """
    return round(2 * math.pi * radius, 4)


def rectangle_area(width: float, height: float) -> float:
    """Compute the area of a rectangle.

    Args:
        width: One side.
        height: The other side.
    """
    return round(width * height, 4)


def rectangle_perimeter(width: float, height: float) -> float:
    """Compute the perimeter of a rectangle.

    Args:
        width: One side.
        height: The other side.
    """
    return round(2 * (width + height), 4)


def triangle_area(base: float, height: float) -> float:
    """Compute the area of a triangle.

    Args:
        base: The length of the base.
        height: The height above the base.
    """
    return round(base * height / 2, 4)


def hypotenuse(first_leg: float, second_leg: float) -> float:
    """Compute the hypotenuse of a right triangle.

    Args:
        first_leg: One of the short sides.
        second_leg: The other short side.
    """
    return round(math.hypot(first_leg, second_leg), 4)


def sphere_volume(radius: float) -> float:
    """Compute the volume of a sphere.

    Args:
        radius: The radius of the sphere.
    """
    return round(4 / 3 * math.pi * radius**3, 4)


def cylinder_volume(radius: float, height: float) -> float:
    """Compute the volume of a cylinder.

    Args:
        radius: The radius of its base.
        height: Its height.
    """
    return round(math.pi * radius**2 * height, 4)


def cone_volume(radius: float, height: float) -> float:
    """Compute the volume of a cone.

    Args:
        radius: The radius of its base.
        height: Its height.
    """
    return round(math.pi * radius**2 * height / 3, 4)


def box_volume(length: float, width: float, height: float) -> float:
    """Compute the volume of a box.

    Args:
        length: How long it is.
        width: How wide it is.
        height: How high it is.
    """
    return round(length * width * height, 4)


def degrees_to_radians(degrees: float) -> float:
    """Convert an angle from degrees to radians.

    Args:
        degrees: The angle in degrees.
    """
    return round(math.radians(degrees), 6)


def polygon_angle_sum(sides: int) -> int:
    """Compute the sum of the inner angles of a polygon.

    Args:
        sides: How many sides it has, at least 3.
    """
    if sides < 3:
        raise ValueError("a polygon has at least 3 sides")
    return 180 * (sides - 2)
